//! Folds and narrates log events, and derives their notices.

use crate::event::{Event, Recorded};
use crate::limits;
use crate::log::entry::{LogKind, Ref};
use crate::notice::Notice;
use crate::time::{MINUTE_MS, in_words};

/// Updates the references: each plugin has one of each kind.
pub(crate) fn fold(refs: &mut Vec<Ref>, event: &Event) {
    let Event::Linked(link) = event else { return };
    refs.retain(|it| !(it.plugin == link.plugin && it.kind == link.kind));
    if refs.len() < limits::REFS_MAX {
        refs.push(link.clone());
    }
}

pub(crate) fn notice(event: &Event, version: u64) -> Option<Notice> {
    matches!(event, Event::Logged { .. }).then_some(Notice::LogAdded { version })
}

pub(crate) fn narrate(recorded: &Recorded) -> Option<String> {
    let by = &recorded.by;
    match &recorded.event {
        Event::Logged {
            kind,
            body,
            written,
        } => {
            let verb = match &written.author {
                Some(author) => format!("{} what {author} wrote:", verb(*kind)),
                None => format!("{}:", verb(*kind)),
            };
            let before = written.at.map_or(0, |at| recorded.at.since(at));
            let before = match before {
                ..MINUTE_MS => String::new(),
                _ => format!(" (written {} before)", in_words(before)),
            };
            Some(format!("{by} {verb} {body}{before}"))
        }
        Event::Linked(link) => {
            let place = link.url.as_ref().unwrap_or(&link.id);
            Some(format!("{} {} is {place}", link.plugin, link.kind))
        }
        _ => None,
    }
}

fn verb(kind: LogKind) -> &'static str {
    match kind {
        LogKind::Seen => "saw",
        LogKind::Decided => "decided",
        LogKind::Done => "did",
        LogKind::Note => "noted",
    }
}
