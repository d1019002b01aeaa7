//! The timers, notices and log lines of questions.

use crate::Timestamp;
use crate::event::{Event, Recorded};
use crate::incident::Incident;
use crate::notice::Notice;
use crate::prompts::state::Prompts;
use crate::timer::TimerKind;

/// When each open question expires.
pub(crate) fn timers(prompts: &Prompts) -> impl Iterator<Item = (Timestamp, TimerKind)> {
    let open = prompts.all.iter().filter(|(_, it)| it.is_open());
    open.map(|(&prompt, it)| (it.expires_at, TimerKind::Prompt { prompt }))
}

/// The notice of the question that an event asks, if it is still open after all events.
pub(crate) fn notice(after: &Incident, event: &Event) -> Option<Notice> {
    let Event::Prompted { prompt, .. } = event else {
        return None;
    };
    let asked = after.prompts.all.get(prompt).filter(|it| it.is_open())?;
    Some(Notice::Prompt {
        prompt: *prompt,
        person: asked.to.clone(),
        channel: asked.contact.kind.clone(),
    })
}

/// Questions whose buttons must be removed.
pub(crate) fn settled(before: Option<&Incident>, after: &Incident) -> Vec<Notice> {
    let was_open = |number: &u32| {
        let asked = before.and_then(|it| it.prompts.all.get(number));
        asked.is_some_and(|it| it.is_open())
    };
    let all = after.prompts.all.iter();
    let over = all.filter(|(number, it)| !it.is_open() && was_open(number));
    let notice = over.map(|(&prompt, it)| Notice::PromptSettled {
        prompt,
        person: it.to.clone(),
        channel: it.contact.kind.clone(),
    });
    notice.collect()
}

pub(crate) fn narrate(incident: &Incident, recorded: &Recorded) -> Option<String> {
    let to = |prompt: &u32| {
        let asked = incident.prompts.all.get(prompt);
        asked.map_or("somebody", |it| it.to.as_str())
    };
    match &recorded.event {
        Event::Prompted {
            to,
            contact,
            question,
            ..
        } => {
            let (by, text) = (&contact.kind, question.text());
            Some(format!("asked {to} by {by}: {text}"))
        }
        Event::PromptAnswered { label, .. } => Some(format!("{} answered: {label}", recorded.by)),
        Event::PromptExpired { prompt } => Some(format!("{} has not answered", to(prompt))),
        _ => None,
    }
}
