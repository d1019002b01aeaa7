//! Who is paged through which contacts, and when the next rung of their ladder follows.

use crate::event::{Event, Recorded};
use crate::incident::Incident;
use crate::lifecycle::must_be_active;
use crate::outcome::{Env, Named, Outcome, Responders};
use crate::paging::state::{Attempt, Page, PageState, Paging, sent_to};
use crate::refusal::Refusal;
use crate::text::cut;
use crate::time::span_in_words;
use crate::{Actor, Person, Timestamp, limits};

/// Why people are paged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// It is their step's turn: not those with a page in progress.
    Step,
    /// There is news: those too.
    News,
    /// Somebody asked for them by name: those too.
    ByName,
}

/// The events of paging these people at a step.
pub(crate) fn page_all<'a>(
    incident: &Incident,
    people: impl Iterator<Item = &'a Person>,
    step: u32,
    why: Why,
    env: Env<'_>,
) -> Vec<Event> {
    let pages = &incident.paging.pages;
    let has_page = |person: &&Person| {
        let mut pages = pages.values();
        why == Why::Step && pages.any(|page| page.person == person.id && page.is_underway())
    };
    let mut events = Vec::new();
    for (page, person) in (incident.paging.next_page..).zip(people.filter(|it| !has_page(it))) {
        let serves = |kind: &str| env.channels.serve(kind);
        let (contacts, rungs) = person.climb(incident.grading.grade, serves);
        let has_contacts = !contacts.is_empty();
        events.push(Event::Paged {
            page,
            person: person.id.clone(),
            contacts,
            rungs,
            step,
            next_contact_at: has_contacts.then(|| acceptance_due(env)),
            by_name: why == Why::ByName,
        });
        if !has_contacts {
            let who = &person.id;
            events.push(Event::PageExhausted {
                page,
                reason: format!("{who} has no contacts; add one in the configuration"),
                contact: None,
            });
        }
    }
    events
}

/// Somebody has a person paged, whoever has the incident.
pub(crate) fn by_name(incident: &Incident, to: &Named, env: Env<'_>) -> Result<Outcome, Refusal> {
    must_be_active(incident, "only an open incident pages somebody")?;
    let person = reached(to)?;
    let step = incident.escalation.next_step.saturating_sub(1);
    Ok(Outcome {
        events: page_all(incident, [person].into_iter(), step, Why::ByName, env),
        reply: format!("{} is paged about incident {}", to.id, incident.number),
        ..Outcome::default()
    })
}

/// A person who is named, if they can be reached.
pub(crate) fn reached(to: &Named) -> Result<&Person, Refusal> {
    let who = &to.id;
    let unknown = || Refusal::Invalid(format!("there is no person `{who}`; correct the ID"));
    let unreached =
        || Refusal::Invalid(format!("`{who}` has no contact that anything delivers to"));
    to.person.as_ref().ok_or_else(unknown)?;
    to.reachable().ok_or_else(unreached)
}

/// A rung's wait is over: for its channels, or for an acknowledgement once a channel has accepted
/// the page. If the daemon was down meanwhile, a wait for channels restarts: otherwise, after an
/// outage every page would skip the person's preferred ones. `held_until`: when it leaves at the
/// latest, while it waits to be bundled with others.
pub(crate) fn contact_due(
    incident: &Incident,
    (page, contact): (u32, u32),
    due: Timestamp,
    held_until: Option<Timestamp>,
    env: Env<'_>,
) -> Result<Outcome, Refusal> {
    let sent = incident.paging.pages.get(&page);
    let sent = sent.filter(|it| it.is_underway() && it.contact == contact);
    let sent = sent.ok_or(Refusal::Stale("the page"))?;
    let is_accepted = sent.attempts_of_rung().any(Attempt::is_accepted);
    let was_down = env.now.since(due) > env.delays.contact_wait_ms;
    let from = held_until.or((was_down && !is_accepted).then_some(env.now));
    if let Some(from) = from {
        // Later than the timer that fired, which is taken.
        let next_contact_at = from.plus_ms(env.delays.contact_wait_ms).max(due.plus_ms(1));
        return Ok(Outcome::of(vec![Event::PageRebased {
            page,
            next_contact_at,
            held_until,
        }]));
    }
    let reason = match is_accepted {
        true => format!("no answer for {}", span_in_words(sent.rung_wait_ms())),
        false => format!(
            "no channel accepted it within {} s",
            env.delays.contact_wait_ms / 1_000
        ),
    };
    Ok(Outcome::of(vec![next_rung(
        (page, sent),
        None,
        reason,
        env,
    )]))
}

/// A channel rejected the page; `outcome_unknown`: it may have arrived anyway.
pub(crate) fn rejected(
    incident: &Incident,
    (page, contact): (u32, u32),
    (reason, outcome_unknown): (String, bool),
    env: Env<'_>,
) -> Result<Outcome, Refusal> {
    let failed = failed(&incident.paging, page, contact, reason, env).map(Outcome::of);
    match outcome_unknown {
        true => outcome_unknown_and(incident, page, contact, failed),
        false => failed,
    }
}

fn failed(
    paging: &Paging,
    page: u32,
    contact: u32,
    reason: String,
    env: Env<'_>,
) -> Result<Vec<Event>, Refusal> {
    let sent = paging.pages.get(&page);
    let sent = sent.filter(|it| it.is_wanted_at(contact));
    let sent = sent.ok_or(Refusal::Stale("the page"))?;
    let reason = cut(reason, limits::REASON_BYTES_MAX);
    Ok(vec![
        match sent.is_last_hope(contact) && sent.is_underway() && contact >= sent.contact {
            true => next_rung((page, sent), Some(contact), reason, env),
            false => Event::PageRejected {
                page,
                contact,
                reason,
            },
        },
    ])
}

/// The event of a rung that brought no answer: the page goes to the next one, or has come to the
/// end of its ladder. `rejected_by`: the contact whose channel rejected it.
fn next_rung(
    (page, sent): (u32, &Page),
    rejected_by: Option<u32>,
    reason: String,
    env: Env<'_>,
) -> Event {
    match sent.next_rung() {
        Some(contact) => {
            let is_last =
                sent.rung_at(contact).last().map(|it| it as usize + 1) == Some(sent.contacts.len());
            Event::PageRedirected {
                page,
                contact,
                reason,
                rejected_by,
                next_contact_at: (!is_last || !sent.is_accepted()).then(|| acceptance_due(env)),
            }
        }
        None => Event::PageExhausted {
            page,
            reason,
            contact: rejected_by,
        },
    }
}

/// A channel accepted the page: its rung now waits for an acknowledgement.
pub(crate) fn accepted(
    incident: &Incident,
    (page, contact): (u32, u32),
    (interrupted, others): (bool, u32),
    env: Env<'_>,
) -> Result<Outcome, Refusal> {
    let stale = Refusal::Stale("the page");
    let Some(sent) = incident.paging.pages.get(&page) else {
        return Err(stale);
    };
    if sent
        .attempts
        .get(&contact)
        .is_some_and(|it| it.is_accepted())
    {
        return Err(stale);
    }
    let next_contact_at = match sent.state {
        PageState::Settled => {
            return Ok(Outcome {
                settle_pages: vec![(page, contact)],
                ..Outcome::default()
            });
        }
        PageState::Accepted | PageState::Exhausted => None,
        PageState::Sent { next_contact_at } => {
            let is_of_rung = sent.rung_at(sent.contact).any(|it| it == contact);
            let is_first = is_of_rung && !sent.attempts_of_rung().any(Attempt::is_accepted);
            let rung_ends = env.now.plus_ms(sent.rung_wait_ms());
            let due = if is_first {
                Some(rung_ends)
            } else {
                next_contact_at
            };
            due.filter(|_| sent.next_rung().is_some())
        }
    };
    Ok(Outcome::of(vec![Event::PageAccepted {
        page,
        contact,
        interrupted,
        others,
        next_contact_at,
    }]))
}

/// A channel knows that the page was shown to the person, which it may know before it reports that
/// it has accepted it: then it counts as accepted as well.
pub(crate) fn seen(
    incident: &Incident,
    page: u32,
    contact: u32,
    env: Env<'_>,
) -> Result<Outcome, Refusal> {
    let sent = incident.paging.pages.get(&page);
    let attempt = sent.and_then(|it| it.attempts.get(&contact));
    let mut outcome = match attempt {
        Some(Attempt::Seen | Attempt::Pressed) | None => return Err(Refusal::Stale("the page")),
        Some(Attempt::Accepted) => Outcome::default(),
        Some(Attempt::Queued | Attempt::Failed) => {
            accepted(incident, (page, contact), (false, 0), env)?
        }
    };
    outcome.events.push(Event::PageSeen { page, contact });
    Ok(outcome)
}

/// The events of a person's answer to their own pages, which does not take the incident over.
pub(crate) fn answer_own(incident: &Incident, by: &Actor, via: &str) -> Vec<Event> {
    let pages = incident.paging.pages.iter();
    let is_own =
        |page: &Page| page.state != PageState::Settled && by.person() == Some(&page.person);
    let own = pages.filter(|(_, page)| is_own(page));
    let answered = own.map(|(&page, _)| Event::PageAnswered {
        page,
        via: via.to_owned(),
    });
    answered.collect()
}

/// Puts an event before `then` which says that the page may have arrived at a contact, so that the
/// log shows the unknown outcome. At most once for each contact, and not for one that accepted the
/// page.
fn outcome_unknown_and(
    incident: &Incident,
    page: u32,
    contact: u32,
    then: Result<Outcome, Refusal>,
) -> Result<Outcome, Refusal> {
    let is_told = incident.paging.pages.get(&page).is_none_or(|it| {
        let attempt = it.attempts.get(&contact);
        attempt.is_none_or(|it| it.is_accepted()) || it.outcome_unknown.contains(&contact)
    });
    if is_told {
        return then;
    }
    let mut events = vec![Event::PageOutcomeUnknown { page, contact }];
    events.extend(then.unwrap_or_default().events);
    Ok(Outcome::of(events))
}

/// An attempt of unknown outcome is retried, and the next rung is tried at once unless another
/// channel of this one may still accept the page: whoever sleeps through a page that never left
/// must not wait for it.
pub(crate) fn outcome_unknown(
    incident: &Incident,
    page: u32,
    contact: u32,
    env: Env<'_>,
) -> Result<Outcome, Refusal> {
    let sent = incident.paging.pages.get(&page);
    let is_tried = |it: &&Page| {
        let accepted = it.attempts_of_rung().any(Attempt::is_accepted);
        let is_wanted = it.is_underway() && it.is_wanted_at(contact) && contact >= it.contact;
        is_wanted && !accepted && it.is_last_hope(contact)
    };
    let then = sent.filter(is_tried).and_then(|it| {
        it.next_rung()?;
        let reason = "the outcome of the attempt is unknown".to_owned();
        Some(Outcome::of(vec![next_rung((page, it), None, reason, env)]))
    });
    let then = then.ok_or(Refusal::Stale("the page"));
    outcome_unknown_and(incident, page, contact, then)
}

/// Nobody whom the last step pages can be reached: the fallback is paged.
pub(crate) fn page_fallback(
    incident: &Incident,
    fallback: &Responders,
    env: Env<'_>,
) -> Result<Outcome, Refusal> {
    let paging = &incident.paging;
    if !incident.is_unanswered() || paging.unreached_at.is_none() {
        return Err(Refusal::Stale("the fallback"));
    }
    let is_tried = |person: &Person| paging.of_step().any(|it| it.person == person.id);
    let people = fallback.people.iter().filter(|it| !is_tried(it));
    let people = people.take(limits::STEP_PEOPLE_MAX);
    let step = paging.of_step().last().map_or(0, |it| it.step);
    let mut events = vec![Event::FallbackPaged {
        note: fallback.note.clone(),
    }];
    events.extend(page_all(incident, people, step, Why::Step, env));
    Ok(Outcome::of(events))
}

/// When a rung is given up that no channel has accepted.
fn acceptance_due(env: Env<'_>) -> Timestamp {
    env.now.plus_ms(env.delays.contact_wait_ms)
}

/// Adds events to an outcome that move its pages past contacts that nothing delivers to.
pub(crate) fn skip_unserved(outcome: &mut Outcome, before: Option<&Incident>, env: Env<'_>) {
    if !outcome.events.iter().any(|it| sent_to(it).is_some()) {
        return;
    }
    let mut paging = before.map(|it| it.paging.clone()).unwrap_or_default();
    let fold = |paging: &mut Paging, event: &Event| {
        paging.fold(&Recorded {
            at: env.now,
            by: Actor::Tocsin,
            event: event.clone(),
        });
    };
    outcome.events.iter().for_each(|it| fold(&mut paging, it));
    let is_new = |it: &u32| {
        outcome
            .events
            .iter()
            .any(|event| sent_to(event).map(|it| it.0) == Some(*it))
    };
    let new: Vec<u32> = paging.pages.keys().copied().filter(is_new).collect();
    for page in new {
        while let Some(contact) = unserved(&paging, page, env)
            && outcome.follow_ups.len() < limits::SKIPPED_CONTACTS_MAX
        {
            let reason = "no plugin delivers to it".to_owned();
            let events = failed(&paging, page, contact, reason, env).unwrap_or_default();
            events.iter().for_each(|it| fold(&mut paging, it));
            outcome.follow_ups.extend(events);
        }
    }
}

/// The first contact of a page that is tried although nothing delivers to it.
fn unserved(paging: &Paging, page: u32, env: Env<'_>) -> Option<u32> {
    let sent = paging.pages.get(&page)?;
    let is_unserved = |contact: &u32| {
        let contact = sent.contacts.get(*contact as usize);
        contact.is_some_and(|it| !env.channels.serve(&it.kind))
    };
    sent.rung_at(sent.contact)
        .filter(|it| sent.is_wanted_at(*it))
        .find(is_unserved)
}
