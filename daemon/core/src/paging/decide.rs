//! Who is paged through which contact, and when the next contact is tried.

use crate::event::Event;
use crate::incident::Incident;
use crate::outcome::{Env, Outcome};
use crate::paging::state::{PageState, sent_to};
use crate::refusal::Refusal;
use crate::text::cut;
use crate::{Contact, Person, Timestamp, limits};

/// The events of paging these people at a step, except those with a page in progress.
pub(crate) fn page_all<'a>(
    incident: &Incident,
    people: impl Iterator<Item = &'a Person>,
    step: u32,
    env: Env<'_>,
) -> Vec<Event> {
    let pages = &incident.paging.pages;
    let has_page = |person: &&Person| {
        let mut pages = pages.values();
        pages.any(|page| page.person == person.id && page.is_underway())
    };
    let mut events = Vec::new();
    for (page, person) in (incident.paging.next_page..).zip(people.filter(|it| !has_page(it))) {
        events.push(Event::Paged {
            page,
            person: person.id.clone(),
            contacts: person.contacts.clone(),
            step,
            next_contact_at: contact_deadline(person.contacts.len(), 0, env),
        });
        if person.contacts.is_empty() {
            let who = &person.id;
            let reason = format!("{who} has no contacts; add one in the configuration");
            events.push(Event::PageExhausted { page, reason });
        }
    }
    events
}

/// A contact's wait is over. If the daemon was down meanwhile, the wait restarts: otherwise, after
/// an outage every page would skip the person's preferred channel.
pub(crate) fn contact_due(
    incident: &Incident,
    page: u32,
    contact: u32,
    due: Timestamp,
    env: Env<'_>,
) -> Result<Outcome, Refusal> {
    if env.now.since(due) > env.delays.contact_wait_ms {
        let sent = incident.paging.pages.get(&page);
        if sent.is_none_or(|it| !it.is_wanted_at(contact)) {
            return Err(Refusal::Stale("the page"));
        }
        let next_contact_at = env.now.plus_ms(env.delays.contact_wait_ms);
        return Ok(Outcome::of(vec![Event::PageRebased {
            page,
            next_contact_at,
        }]));
    }
    let reason = format!(
        "no channel accepted it within {} s",
        env.delays.contact_wait_ms / 1_000
    );
    redirect(incident, page, contact, reason, env)
}

pub(crate) fn redirect(
    incident: &Incident,
    page: u32,
    contact: u32,
    reason: String,
    env: Env<'_>,
) -> Result<Outcome, Refusal> {
    let sent = incident
        .paging
        .pages
        .get(&page)
        .filter(|it| it.is_wanted_at(contact));
    let Some(sent) = sent else {
        return Err(Refusal::Stale("the page"));
    };
    let reason = cut(reason, limits::REASON_BYTES_MAX);
    let event = next_contact(page, sent.contacts.len(), contact, reason, env);
    Ok(Outcome::of(vec![event]))
}

/// The event of a failed contact: the page goes to the next one, or is exhausted.
fn next_contact(page: u32, contacts: usize, contact: u32, reason: String, env: Env<'_>) -> Event {
    let contact = contact + 1;
    match (contact as usize) < contacts {
        true => Event::PageRedirected {
            page,
            contact,
            reason,
            next_contact_at: contact_deadline(contacts, contact, env),
        },
        false => Event::PageExhausted { page, reason },
    }
}

pub(crate) fn accepted(
    incident: &Incident,
    page: u32,
    contact: u32,
    interrupted: bool,
) -> Result<Outcome, Refusal> {
    let Some(sent) = incident.paging.pages.get(&page) else {
        return Err(Refusal::Stale("the page"));
    };
    match sent.state {
        PageState::Sent { .. } | PageState::Exhausted => {
            Ok(Outcome::of(vec![Event::PageAccepted {
                page,
                contact,
                interrupted,
            }]))
        }
        PageState::Settled => Ok(Outcome {
            settle_pages: vec![page],
            ..Outcome::default()
        }),
        PageState::Accepted => Err(Refusal::Stale("the page")),
    }
}

/// Puts an event before `then` which says that the page may have arrived at a contact, so that the
/// log shows the unknown outcome. At most once for each contact, and not for the one that
/// accepted the page.
pub(crate) fn outcome_unknown_and(
    incident: &Incident,
    page: u32,
    contact: u32,
    then: Result<Outcome, Refusal>,
) -> Result<Outcome, Refusal> {
    let is_told = incident.paging.pages.get(&page).is_none_or(|it| {
        let accepted_it = it.state == PageState::Accepted && it.contact == contact;
        accepted_it || it.outcome_unknown.contains(&contact)
    });
    if is_told {
        return then;
    }
    let mut events = vec![Event::PageOutcomeUnknown { page, contact }];
    events.extend(then.unwrap_or_default().events);
    Ok(Outcome::of(events))
}

/// When a page leaves this contact for the next one, if there is one.
fn contact_deadline(contacts: usize, contact: u32, env: Env<'_>) -> Option<Timestamp> {
    ((contact as usize) + 1 < contacts).then(|| env.now.plus_ms(env.delays.contact_wait_ms))
}

/// Adds events to an outcome that move its pages past contacts that nothing delivers to, in the
/// order of the pages' attempts.
pub(crate) fn skip_unserved(outcome: &mut Outcome, before: Option<&Incident>, env: Env<'_>) {
    let events = outcome.events.as_slice();
    let mut attempts: Vec<(u32, u32)> = events.iter().filter_map(sent_to).collect();
    let mut skipped = Vec::new();
    let mut at = 0;
    while let Some(&(page, contact)) = attempts.get(at)
        && skipped.len() < limits::SKIPPED_CONTACTS_MAX
    {
        at += 1;
        let contacts = contacts_of(page, before, events);
        let tried = contacts.get(contact as usize);
        if tried.is_some_and(|it| !env.channels.serve(&it.kind)) {
            let reason = "no plugin delivers to it".to_owned();
            let event = next_contact(page, contacts.len(), contact, reason, env);
            attempts.extend(sent_to(&event));
            skipped.push(event);
        }
    }
    outcome.follow_ups = skipped;
}

fn contacts_of<'a>(page: u32, before: Option<&'a Incident>, events: &'a [Event]) -> &'a [Contact] {
    let new = events.iter().find_map(|event| match event {
        Event::Paged {
            page: it, contacts, ..
        } if *it == page => Some(contacts.as_slice()),
        _ => None,
    });
    let sent = before.and_then(|it| it.paging.pages.get(&page));
    new.or(sent.map(|it| it.contacts.as_slice()))
        .unwrap_or_default()
}
