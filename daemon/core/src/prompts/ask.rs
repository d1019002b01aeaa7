//! Asking a person something.

use crate::event::Event;
use crate::incident::Incident;
use crate::outcome::Env;
use crate::prompts::question::Question;
use crate::{Person, Timestamp, limits};

/// The event of asking a person something; `None` if nothing asks through any contact of theirs.
pub(crate) fn ask(
    incident: &Incident,
    person: &Person,
    question: Question,
    expires_at: Timestamp,
    env: Env<'_>,
) -> Option<Event> {
    let mut contacts = person
        .contacts
        .iter()
        .filter(|it| env.channels.ask(&it.kind));
    Some(Event::Prompted {
        prompt: incident.prompts.last + 1,
        to: person.id.clone(),
        contact: contacts.next()?.clone(),
        then: contacts
            .take(limits::PAGE_CONTACTS_MAX - 1)
            .cloned()
            .collect(),
        question,
        expires_at,
        next_contact_at: Some(given_up_at(env.now)),
    })
}

/// The event by which an open question needs no answer any more; none if it is not open.
pub(crate) fn withdraw(incident: &Incident, question: Question, reason: &str) -> Option<Event> {
    let prompt = incident.prompts.open(question)?;
    let reason = reason.to_owned();
    Some(Event::PromptWithdrawn { prompt, reason })
}

/// When a contact is given up whose channel has not accepted the question, which could leave from
/// then on.
pub(super) fn given_up_at(from: Timestamp) -> Timestamp {
    from.plus_ms(limits::QUESTION_CONTACT_WAIT_MS)
}
