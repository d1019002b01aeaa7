//! `decide`: what a command to an incident comes to. Together with `intake` for signals, the
//! only place that looks at where an incident stands.

use crate::alert::Tally;
use crate::command::{Command, Crew, Opening, Outcome, Refusal, Waits};
use crate::event::{Event, LogKind, Recorded};
use crate::incident::{Incident, PageState};
use crate::{Actor, Grade, Status, Timestamp, Verdict, limits};

/// Decides what a command comes to. Nothing changes: the caller makes the outcome durable and
/// folds its events.
///
/// # Errors
/// [`Refusal`] when the command is not carried out; the state stays as it is.
pub fn decide(
    incident: &Incident,
    tally: &Tally,
    command: Command,
    by: &Actor,
    now: Timestamp,
    waits: &Waits,
) -> Result<Outcome, Refusal> {
    match command {
        Command::Acknowledge { via } => acknowledge(incident, via, by),
        Command::Grade {
            grade,
            security,
            reason,
            replan,
        } => {
            let mut graded = grade_by_hand(incident, grade, security, reason)?;
            if let Some(opening) = replan.as_deref() {
                replan_if_raised(incident, &mut graded.events, opening, by, now, waits);
            }
            Ok(graded)
        }
        Command::Log { kind, body } => log(kind, body),
        Command::Link(link) => Ok(Outcome::of(vec![Event::Linked(link)])),
        Command::Mitigate { reason } => mitigate(incident, reason),
        Command::Resolve { reason } => Ok(resolve(incident, tally, reason)),
        Command::Close => close(incident),
        Command::EscalationDue { due, crew } => escalation_due(incident, due, &crew, now, waits),
        Command::ContactDue { page, contact, due } => {
            contact_due(incident, page, contact, due, now, waits)
        }
        Command::PageTaken {
            page,
            contact,
            interrupted,
        } => page_taken(incident, page, contact, interrupted),
        Command::PageFailed {
            page,
            contact,
            reason,
            outcome_unknown,
        } => {
            let redirected = redirect(incident, page, contact, reason, now, waits);
            match outcome_unknown {
                true => outcome_unknown_and(incident, page, contact, redirected),
                false => redirected,
            }
        }
        Command::PageOutcomeUnknown { page, contact } => {
            outcome_unknown_and(incident, page, contact, Err(Refusal::Stale("the page")))
        }
        Command::TallyDue => tally_due(incident, tally, now),
        Command::ClearDue => clear_due(incident, tally, now, waits),
    }
}

/// Adds the plan that goes with a raised grade or a new security flag to the events that raise
/// it, and its first step: who raises a grade wakes whom that grade wakes, unless somebody has
/// the incident already.
pub(crate) fn replan_if_raised(
    incident: &Incident,
    events: &mut Vec<Event>,
    opening: &Opening,
    by: &Actor,
    now: Timestamp,
    waits: &Waits,
) {
    let raises = |event: &Event| match event {
        Event::Graded {
            grade, security, ..
        } => *grade > incident.grade || (*security && !incident.security),
        _ => false,
    };
    let is_raised = events.iter().any(raises);
    if !is_raised || !incident.is_unanswered() || opening.plan.value == incident.plan {
        return;
    }
    events.push(planned(opening));
    let after = events.iter().fold(incident.clone(), |it, event| {
        let (by, event) = (by.clone(), event.clone());
        it.fold(&Recorded { at: now, by, event })
    });
    events.extend(take_step(&after, &opening.crew, now, waits));
}

/// The event of a plan that a policy made.
pub(crate) fn planned(opening: &Opening) -> Event {
    let Verdict {
        value,
        reason,
        source,
    } = opening.plan.clone();
    Event::Planned {
        plan: value,
        reason,
        source,
    }
}

/// The events of taking the plan's next step: the step, and a page to everybody in the crew
/// who has none underway. Nothing when the plan is empty.
#[must_use]
pub(crate) fn take_step(
    incident: &Incident,
    crew: &Crew,
    now: Timestamp,
    waits: &Waits,
) -> Vec<Event> {
    let Some(last) = incident.plan.steps.len().checked_sub(1) else {
        return Vec::new();
    };
    let next = incident.escalation.next_step as usize;
    let (step, round) = if next > last {
        (last, incident.escalation.round.saturating_add(1))
    } else {
        (next, incident.escalation.round)
    };
    let mut wait_ms = incident.plan.steps[step].wait_ms;
    if round > limits::EARLY_REPEATS_MAX {
        wait_ms = wait_ms.max(limits::LATE_REPEAT_WAIT_MS_MIN);
    }
    let step = u32::try_from(step).unwrap_or(u32::MAX);
    let mut events = vec![Event::Escalated {
        step,
        round,
        next_at: now.plus_ms(wait_ms),
        note: crew.note.clone(),
    }];
    let mut number = incident.next_page;
    for person in crew.people.iter().take(limits::STEP_PEOPLE_MAX) {
        let underway =
            |page: &crate::incident::Page| page.person == person.id && page.is_underway();
        if incident.pages.values().any(underway) {
            continue;
        }
        events.push(Event::Paged {
            page: number,
            person: person.id.clone(),
            contacts: person.contacts.clone(),
            step,
            next_contact_at: contact_deadline(person.contacts.len(), 0, now, waits),
        });
        if person.contacts.is_empty() {
            let reason = format!(
                "{} has no contacts; add one in the configuration",
                person.id
            );
            events.push(Event::PageExhausted {
                page: number,
                reason,
            });
        }
        number += 1;
    }
    events
}

fn acknowledge(incident: &Incident, via: String, by: &Actor) -> Result<Outcome, Refusal> {
    must_be_active(
        incident,
        "an alert that fires again brings it back; acknowledge the one that is open now",
    )?;
    let number = incident.number;
    let operator = match (&incident.operator, by.person()) {
        (None, Some(person)) => Some(Event::OperatorAssigned {
            person: person.clone(),
        }),
        _ => None,
    };
    let mut events = Vec::new();
    let mut reply = format!("incident {number} is acknowledged; the escalation stops");
    if incident.acknowledged_at.is_none() {
        events.push(Event::Acknowledged { via });
    } else if operator.is_none() {
        let who = incident.operator.as_ref();
        let who = who.map_or("somebody", |it| it.as_str());
        return Ok(Outcome::reply(format!(
            "incident {number} was acknowledged before; {who} has it"
        )));
    }
    if let Some(operator) = operator {
        events.push(operator);
        reply = format!("incident {number} is yours: you are the operator; the escalation stops");
    }
    Ok(Outcome {
        events,
        reply,
        ..Outcome::default()
    })
}

fn grade_by_hand(
    incident: &Incident,
    grade: Grade,
    security: Option<bool>,
    reason: String,
) -> Result<Outcome, Refusal> {
    let reason = bounded("reason", reason, limits::REASON_BYTES_MAX)?;
    let security = security.unwrap_or(incident.security);
    let reply = format!("incident {} is graded {grade}", incident.number);
    let events = vec![Event::Graded {
        grade,
        security,
        reason,
        source: None,
    }];
    Ok(Outcome {
        events,
        reply,
        ..Outcome::default()
    })
}

fn log(kind: LogKind, body: String) -> Result<Outcome, Refusal> {
    let body = bounded("log entry", body, limits::LOG_BODY_BYTES_MAX)?;
    Ok(Outcome::of(vec![Event::Logged { kind, body }]))
}

fn mitigate(incident: &Incident, reason: String) -> Result<Outcome, Refusal> {
    let reason = cut(reason, limits::REASON_BYTES_MAX);
    must_be_active(incident, "only an open incident is mitigated")?;
    if incident.status == Status::Mitigated {
        return Ok(Outcome::reply(format!(
            "incident {} was mitigated before",
            incident.number
        )));
    }
    let reply = format!("incident {} is mitigated", incident.number);
    Ok(Outcome {
        events: vec![Event::Mitigated { reason }],
        reply,
        ..Outcome::default()
    })
}

fn resolve(incident: &Incident, tally: &Tally, reason: String) -> Outcome {
    let reason = cut(reason, limits::REASON_BYTES_MAX);
    if !incident.is_active() {
        let Incident { number, status, .. } = incident;
        return Outcome::reply(format!("incident {number} is {status} already"));
    }
    let mut tally = tally.clone();
    tally.mark_resolved();
    Outcome {
        events: vec![Event::Resolved {
            reason,
            counts: tally.counts,
        }],
        reply: format!("incident {} is resolved", incident.number),
        tally: Some(tally),
        ..Outcome::default()
    }
}

fn close(incident: &Incident) -> Result<Outcome, Refusal> {
    match incident.status {
        Status::Resolved => Ok(Outcome::of(vec![Event::Closed {}])),
        Status::Closed => Ok(Outcome::reply(format!(
            "incident {} is closed",
            incident.number
        ))),
        status @ (Status::Open | Status::Mitigated) => Err(Refusal::NotActive {
            number: incident.number,
            status,
            remedy: "resolve it before you close it",
        }),
    }
}

fn escalation_due(
    incident: &Incident,
    due: Timestamp,
    crew: &Crew,
    now: Timestamp,
    waits: &Waits,
) -> Result<Outcome, Refusal> {
    if !incident.is_unanswered() || incident.escalation.due != Some(due) || now < due {
        return Err(Refusal::Stale("the escalation"));
    }
    Ok(Outcome::of(take_step(incident, crew, now, waits)))
}

/// A contact's time is up. If the daemon was down meanwhile the contact had none: it gets it
/// anew, or after an outage every page would go past the channel that people look at.
fn contact_due(
    incident: &Incident,
    page: u32,
    contact: u32,
    due: Timestamp,
    now: Timestamp,
    waits: &Waits,
) -> Result<Outcome, Refusal> {
    if now.since(due) > waits.contact_wait_ms {
        let sent = incident.pages.get(&page);
        if sent.is_none_or(|it| !it.is_wanted_at(contact)) {
            return Err(Refusal::Stale("the page"));
        }
        let next_contact_at = now.plus_ms(waits.contact_wait_ms);
        return Ok(Outcome::of(vec![Event::PageRebased {
            page,
            next_contact_at,
        }]));
    }
    let reason = format!("no channel took it in {} s", waits.contact_wait_ms / 1_000);
    redirect(incident, page, contact, reason, now, waits)
}

fn redirect(
    incident: &Incident,
    page: u32,
    contact: u32,
    reason: String,
    now: Timestamp,
    waits: &Waits,
) -> Result<Outcome, Refusal> {
    let sent = incident
        .pages
        .get(&page)
        .filter(|it| it.is_wanted_at(contact));
    let Some(sent) = sent else {
        return Err(Refusal::Stale("the page"));
    };
    let next = contact + 1;
    let reason = cut(reason, limits::REASON_BYTES_MAX);
    let event = if (next as usize) < sent.contacts.len() {
        let next_contact_at = contact_deadline(sent.contacts.len(), next, now, waits);
        Event::PageRedirected {
            page,
            contact: next,
            reason,
            next_contact_at,
        }
    } else {
        Event::PageExhausted { page, reason }
    };
    Ok(Outcome::of(vec![event]))
}

fn page_taken(
    incident: &Incident,
    page: u32,
    contact: u32,
    interrupted: bool,
) -> Result<Outcome, Refusal> {
    let Some(sent) = incident.pages.get(&page) else {
        return Err(Refusal::Stale("the page"));
    };
    match sent.state {
        PageState::Sent { .. } | PageState::Exhausted => Ok(Outcome::of(vec![Event::PageTaken {
            page,
            contact,
            interrupted,
        }])),
        PageState::Settled => Ok(Outcome {
            settle_pages: vec![page],
            ..Outcome::default()
        }),
        PageState::Taken => Err(Refusal::Stale("the page")),
    }
}

/// Says first that a page may have arrived at a contact, whatever becomes of it: without that
/// nobody who reads the log knows of a page that the daemon did not look for. Once for each
/// contact, and not for the one that took the page.
fn outcome_unknown_and(
    incident: &Incident,
    page: u32,
    contact: u32,
    then: Result<Outcome, Refusal>,
) -> Result<Outcome, Refusal> {
    let is_told = incident.pages.get(&page).is_none_or(|it| {
        let took_it = it.state == PageState::Taken && it.contact == contact;
        took_it || it.outcome_unknown.contains(&contact)
    });
    if is_told {
        return then;
    }
    let mut events = vec![Event::PageOutcomeUnknown { page, contact }];
    events.extend(then.unwrap_or_default().events);
    Ok(Outcome::of(events))
}

fn tally_due(incident: &Incident, tally: &Tally, now: Timestamp) -> Result<Outcome, Refusal> {
    let mut tally = tally.clone();
    match log_tally(incident, &mut tally, now) {
        Some(event) => Ok(Outcome {
            events: vec![event],
            tally: Some(tally),
            ..Outcome::default()
        }),
        None => Err(Refusal::Stale("the tally")),
    }
}

fn clear_due(
    incident: &Incident,
    tally: &Tally,
    now: Timestamp,
    waits: &Waits,
) -> Result<Outcome, Refusal> {
    let is_clear = tally.counts.firing == 0 && tally.clear_due.is_some_and(|due| due <= now);
    if !incident.is_active() || !is_clear {
        return Err(Refusal::Stale("the resolve timer"));
    }
    let seconds = waits.resolve_after_ms / 1_000;
    Ok(resolve(
        incident,
        tally,
        format!("no alert has fired for {seconds} s"),
    ))
}

/// The event that copies the counts into the stream, when it is due; marks the tally.
pub(crate) fn log_tally(incident: &Incident, tally: &mut Tally, now: Timestamp) -> Option<Event> {
    if !incident.is_active() || !tally.is_log_due(now) {
        return None;
    }
    let event = Event::Tallied {
        counts: tally.counts,
        sample: tally.sample.clone(),
    };
    tally.mark_logged(now);
    Some(event)
}

/// When a page goes on from this contact: only if there is another.
fn contact_deadline(
    contacts: usize,
    contact: u32,
    now: Timestamp,
    waits: &Waits,
) -> Option<Timestamp> {
    ((contact as usize) + 1 < contacts).then(|| now.plus_ms(waits.contact_wait_ms))
}

fn must_be_active(incident: &Incident, remedy: &'static str) -> Result<(), Refusal> {
    if incident.is_active() {
        return Ok(());
    }
    Err(Refusal::NotActive {
        number: incident.number,
        status: incident.status,
        remedy,
    })
}

pub(crate) fn bounded(what: &str, text: String, bytes_max: usize) -> Result<String, Refusal> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Refusal::Invalid(format!(
            "the {what} is empty; say something"
        )));
    }
    if text.len() > bytes_max {
        let size = text.len();
        return Err(Refusal::Invalid(format!(
            "the {what} takes {size} bytes, more than {bytes_max}; shorten it"
        )));
    }
    if escaped_bytes(text) > bytes_max + ESCAPES_BYTES_MAX {
        return Err(Refusal::Invalid(format!(
            "the {what} has too many control characters; leave them out"
        )));
    }
    Ok(text.to_owned())
}

/// What control characters and quotes of a text may take in JSON beyond the text itself, in
/// bytes.
const ESCAPES_BYTES_MAX: usize = 2 * 1_024;

/// How many bytes a text takes as JSON.
pub(crate) fn escaped_bytes(text: &str) -> usize {
    let of = |byte: u8| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' => 2,
        byte if byte < b' ' => 6,
        _ => 1,
    };
    text.bytes().map(of).sum()
}

/// The text, cut at a character's boundary to at most `bytes_max` bytes.
#[must_use]
pub fn cut(mut text: String, bytes_max: usize) -> String {
    if text.len() > bytes_max {
        let end = (0..=bytes_max)
            .rev()
            .find(|&at| text.is_char_boundary(at))
            .unwrap_or(0);
        text.truncate(end);
    }
    text
}

impl Outcome {
    fn of(events: Vec<Event>) -> Self {
        Self {
            events,
            ..Self::default()
        }
    }

    fn reply(reply: String) -> Self {
        Self {
            reply,
            ..Self::default()
        }
    }
}
