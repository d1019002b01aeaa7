//! The timers, notices and log lines of questions.

use crate::Timestamp;
use crate::event::{Event, Recorded};
use crate::incident::Incident;
use crate::notice::Notice;
use crate::paging::bundled;
use crate::prompts::state::Prompts;
use crate::timer::TimerKind;

/// When each open question goes to its next contact or expires.
pub(crate) fn timers(prompts: &Prompts) -> impl Iterator<Item = (Timestamp, TimerKind)> {
    let open = prompts.all.iter().filter(|(_, it)| it.is_open());
    open.map(|(&prompt, it)| (it.due(), TimerKind::Prompt { prompt }))
}

/// The notice of the question that an event asks somewhere, if it is still wanted there after all
/// events.
pub(crate) fn notice(after: &Incident, event: &Event) -> Option<Notice> {
    let (prompt, contact) = match event {
        Event::Prompted { prompt, .. } => (*prompt, 0),
        Event::PromptRedirected {
            prompt, contact, ..
        } => (*prompt, (*contact)?),
        _ => return None,
    };
    let asked = after.prompts.all.get(&prompt);
    let asked = asked.filter(|it| it.is_wanted_at(contact))?;
    Some(Notice::Prompt {
        prompt,
        contact,
        person: asked.to.clone(),
        channel: asked.contacts.get(contact as usize)?.kind.clone(),
        question: asked.question,
    })
}

/// Questions whose buttons must be removed, where channels accepted them.
pub(crate) fn settled(before: Option<&Incident>, after: &Incident) -> Vec<Notice> {
    let over = after.prompts.all.iter().filter(|(_, it)| !it.is_open());
    let notices = over.flat_map(|(&prompt, it)| {
        let was = before.and_then(|it| it.prompts.all.get(&prompt));
        let is_new = move |contact: &&u32| {
            was.is_none_or(|it| it.is_open() || !it.accepted.contains(*contact))
        };
        let accepted = it.accepted.iter().filter(is_new);
        accepted.filter_map(move |&contact| {
            Some(Notice::PromptSettled {
                prompt,
                person: it.to.clone(),
                channel: it.contacts.get(contact as usize)?.kind.clone(),
                contact,
            })
        })
    });
    notices.collect()
}

pub(crate) fn narrate(incident: &Incident, recorded: &Recorded) -> Option<String> {
    let of = |prompt: &u32| incident.prompts.all.get(prompt);
    let to = |prompt: &u32| of(prompt).map_or("somebody", |it| it.to.as_str());
    let kind = |prompt: &u32, contact: Option<u32>| {
        let contact = contact.and_then(|at| of(prompt)?.contacts.get(at as usize));
        contact.map_or("another channel", |it| it.kind.as_str())
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
        Event::PromptAccepted {
            prompt,
            contact,
            others,
        } => {
            let bundled = bundled(*others);
            let (to, by) = (to(prompt), kind(prompt, Some(*contact)));
            Some(format!("the question to {to} was sent by {by}{bundled}"))
        }
        Event::PromptRedirected {
            prompt,
            reason,
            contact,
            ..
        } => Some(match contact {
            Some(next) => {
                let (from, by) = (kind(prompt, next.checked_sub(1)), kind(prompt, *contact));
                let to = to(prompt);
                format!("the question to {to} was not sent by {from}: {reason}; it goes by {by}")
            }
            None => format!("{} could not be asked: {reason}", to(prompt)),
        }),
        Event::PromptRebased { prompt, .. } => {
            let to = to(prompt);
            Some(format!("the question to {to} waits for its channel again"))
        }
        Event::PromptAnswered { label, .. } => Some(format!("{} answered: {label}", recorded.by)),
        Event::PromptSkipped { question, to } => {
            Some(format!("{to} cannot be asked: {}", question.text()))
        }
        Event::PromptWithdrawn { prompt, reason } => {
            let to = to(prompt);
            Some(format!("the question to {to} needs no answer: {reason}"))
        }
        Event::PromptExpired { prompt } => Some(format!("{} has not answered", to(prompt))),
        _ => None,
    }
}
