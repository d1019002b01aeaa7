//! The log lines of changes.

use crate::changes::change::ChangeBrief;
use crate::changes::state::Changes;
use crate::event::{Event, Recorded};
use crate::limits;
use crate::time::in_words;

/// `changes`: the state after the event.
pub(crate) fn narrate(changes: &Changes, recorded: &Recorded) -> Option<String> {
    let by = &recorded.by;
    match &recorded.event {
        Event::ChangeSuspected {
            number,
            change,
            more,
        } => {
            let ago = in_words(recorded.at.since(change.at));
            let more = match more {
                0 => String::new(),
                1 => "; one more in that time is not listed".to_owned(),
                more => format!("; {more} more in that time are not listed"),
            };
            let which = which(change);
            Some(format!(
                "change {number} may have caused it, made {ago} before: {which}{more}"
            ))
        }
        Event::ChangeMade { number, change } => {
            let is_last = usize::try_from(*number).is_ok_and(|it| it >= limits::CHANGES_MAX);
            let more = match is_last {
                true => "; later ones are not listed",
                false => "",
            };
            Some(format!("change {number} was made: {}{more}", which(change)))
        }
        Event::ChangeConfirmed { number, text } => {
            let title = title(changes, *number);
            Some(format!(
                "{by} confirmed that change {number} caused it{title}{}",
                said(text)
            ))
        }
        Event::ChangeCleared { number, text } => {
            let title = title(changes, *number);
            Some(format!("{by} cleared change {number}{title}{}", said(text)))
        }
        _ => None,
    }
}

fn which(change: &ChangeBrief) -> String {
    let link = change.link.as_ref();
    let link = link.map_or_else(String::new, |it| format!(" {it}"));
    format!("{}{link}", change.title)
}

fn title(changes: &Changes, number: u32) -> String {
    let change = changes.all.get(&number);
    change.map_or_else(String::new, |it| format!(" ({})", it.brief.title))
}

fn said(text: &str) -> String {
    match text {
        "" => String::new(),
        text => format!(": {text}"),
    }
}
