//! Decides and narrates changes of an incident's status.

use crate::escalation::HoldStage;
use crate::event::{Event, Recorded};
use crate::incident::{Incident, Tally};
use crate::lifecycle::activity::must_be_active;
use crate::lifecycle::status::Status;
use crate::outcome::{Env, Outcome};
use crate::prompts::Question;
use crate::refusal::Refusal;
use crate::roles::Role;
use crate::text::cut;
use crate::time::span_in_words;
use crate::{Actor, Grade, Timestamp, limits, paging, prompts, roles};

pub(crate) fn acknowledge(
    incident: &Incident,
    via: String,
    by: &Actor,
    env: Env<'_>,
) -> Result<Outcome, Refusal> {
    must_be_active(incident, "only an open incident can be acknowledged")?;
    let number = incident.number;
    // Whoever confirms an acknowledgement that must be confirmed has the incident.
    let is_confirmed = incident.wants_answer();
    let has_it = incident.roles.operator.as_ref();
    let takes_it = has_it.is_none() || is_confirmed && has_it != by.person();
    let operator = by.person().filter(|_| takes_it);
    let operator = operator.cloned().map(|person| Event::RoleAssigned {
        role: Role::Operator,
        person,
    });
    let mut events = Vec::new();
    let hold_ms = incident.hold_ms();
    let mut reply = format!("incident {number} is acknowledged; the escalation stops");
    if incident.lifecycle.acknowledged_at.is_none() || is_confirmed {
        let hold_until = Some(env.now.plus_ms(hold_ms));
        events.push(Event::Acknowledged {
            via,
            hold_until,
            approach_at: env.approach_at(),
        });
        if is_confirmed {
            let held = span_in_words(hold_ms);
            reply = format!("incident {number} is acknowledged for another {held}");
        }
    } else if operator.is_none() {
        let who = incident.roles.operator.as_ref();
        let who = who.map_or("none", |it| it.as_str());
        return Ok(Outcome {
            events: paging::answer_own(incident, by, &via),
            reply: format!("incident {number} is already acknowledged; operator: {who}"),
            ..Outcome::default()
        });
    }
    if let Some(operator) = operator {
        events.extend(
            by.person()
                .and_then(|it| roles::stops_speaking(incident, it)),
        );
        events.push(operator);
        reply = format!("incident {number} is yours: you are the operator; the escalation stops");
    }
    Ok(Outcome {
        events,
        reply,
        ..Outcome::default()
    })
}

pub(crate) fn unacknowledge(
    incident: &Incident,
    tally: &Tally,
    reason: Option<String>,
) -> Result<Outcome, Refusal> {
    must_be_active(incident, "only an open incident can be unacknowledged")?;
    let number = incident.number;
    if incident.lifecycle.acknowledged_at.is_none() {
        return Ok(Outcome::reply(format!(
            "incident {number} is not acknowledged; `ack` acknowledges it"
        )));
    }
    let next = match tally.is_silenced() {
        true => "every firing alert is silenced, so nobody is paged until one is not",
        false => after_withdrawal(incident),
    };
    let reason = reason.map(|it| cut(it, limits::REASON_BYTES_MAX));
    Ok(Outcome {
        events: vec![Event::Unacknowledged { reason }],
        reply: format!("incident {number} is no longer acknowledged; {next}"),
        ..Outcome::default()
    })
}

pub(crate) fn mitigate(incident: &Incident, reason: String) -> Result<Outcome, Refusal> {
    let reason = cut(reason, limits::REASON_BYTES_MAX);
    must_be_active(incident, "only an open incident can be mitigated")?;
    if incident.lifecycle.status == Status::Mitigated {
        return Ok(Outcome::reply(format!(
            "incident {} is already mitigated",
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

pub(crate) fn resolve(incident: &Incident, tally: &Tally, reason: String, env: Env<'_>) -> Outcome {
    let reason = cut(reason, limits::REASON_BYTES_MAX);
    if !incident.is_active() {
        let (number, status) = (incident.number, incident.lifecycle.status);
        return Outcome::reply(format!("incident {number} is already {status}"));
    }
    let mut tally = tally.clone();
    tally.mark_resolved(env.now.plus_ms(env.delays.reopen_within_ms));
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

pub(crate) fn close(incident: &Incident) -> Result<Outcome, Refusal> {
    match incident.lifecycle.status {
        Status::Resolved => Ok(Outcome {
            events: vec![Event::Closed {}],
            reply: format!("incident {} is closed", incident.number),
            ..Outcome::default()
        }),
        Status::Closed => Ok(Outcome::reply(format!(
            "incident {} is already closed",
            incident.number
        ))),
        status @ (Status::Open | Status::Mitigated) => Err(Refusal::NotActive {
            number: incident.number,
            status,
            remedy: "`resolve` it before you close it",
        }),
    }
}

pub(crate) fn clear_due(
    incident: &Incident,
    tally: &Tally,
    env: Env<'_>,
) -> Result<Outcome, Refusal> {
    let due = clear_at(incident, tally);
    let is_clear = tally.counts.firing == 0 && due.is_some_and(|due| due <= env.now);
    if !incident.is_active() || !is_clear {
        return Err(Refusal::Stale("the resolve timer"));
    }
    let quiet = |ms| format!("no alert has fired for {}", span_in_words(ms));
    let reason = match &incident.roles.operator {
        None => quiet(env.delays.resolve_after_ms),
        Some(operator) => format!(
            "{}, and {operator} has not said whether it is solved",
            quiet(limits::SOLVED_WAIT_MS)
        ),
    };
    Ok(resolve(incident, tally, reason, env))
}

/// When an incident resolves because nothing fires. One that a person has waits until they say
/// whether it is solved; without an answer it resolves a day later.
pub(crate) fn clear_at(incident: &Incident, tally: &Tally) -> Option<Timestamp> {
    let quiet_since = tally.clear_due?;
    if incident.roles.operator.is_none() {
        return Some(quiet_since);
    }
    let goes_on = incident.prompts.said_unsolved >= Some(quiet_since);
    (!goes_on).then(|| quiet_since.plus_ms(limits::SOLVED_WAIT_MS))
}

/// What the operator is asked about where the incident stands, and since when.
pub(crate) fn asks(
    incident: &Incident,
    tally: &Tally,
) -> impl Iterator<Item = (Timestamp, Question)> {
    let is_open = incident.lifecycle.status == Status::Open;
    let is_worth_it = is_open && incident.grading.grade > Grade::Minor;
    let approach = incident.lifecycle.approach_at.filter(|_| is_worth_it);
    let approach = approach.map(|at| (at, Question::Approach));
    let solved = tally.clear_due.map(|at| (at, Question::Solved));
    approach.into_iter().chain(solved)
}

/// What follows when an alert fires in an incident in which nothing did: nobody needs to say any
/// more whether it is solved. Whoever has it and did not say so in time may be asleep, so the
/// escalation starts again.
pub(crate) fn fires_again(incident: &Incident, tally: &Tally, now: Timestamp) -> Vec<Event> {
    let why = "an alert fires again";
    let mut events: Vec<Event> = prompts::withdraw(incident, Question::Solved, why)
        .into_iter()
        .collect();
    let operator = incident.roles.operator.as_ref();
    let waited = tally.clear_due.map(|at| at.plus_ms(limits::PROMPT_WAIT_MS));
    let is_unanswered = clear_at(incident, tally).is_some();
    let hold = incident.escalation.hold;
    let is_snoozed = hold.is_some_and(|it| it.stage == HoldStage::Snoozed);
    if let Some(operator) = operator
        && waited.is_some_and(|at| at <= now)
        && is_unanswered
        && !is_snoozed
    {
        events.push(Event::HoldExpired {
            reason: format!("{why}, and {operator} has not said whether it was solved"),
        });
    }
    events
}

/// What follows when the acknowledgement is withdrawn.
fn after_withdrawal(incident: &Incident) -> &'static str {
    match incident.escalation.plan.steps.is_empty() {
        true => "its plan pages nobody",
        false => "the escalation starts again",
    }
}

pub(crate) fn narrate(incident: &Incident, recorded: &Recorded) -> Option<String> {
    let by = &recorded.by;
    let text = match &recorded.event {
        Event::Acknowledged { via, .. } => format!("{by} acknowledged through {via}"),
        Event::Unacknowledged { reason } => {
            let next = after_withdrawal(incident);
            let said = format!("{by} withdrew the acknowledgement; {next}");
            match reason {
                Some(reason) => format!("{said}: {reason}"),
                None => said,
            }
        }
        Event::Mitigated { reason } => format!("{by} mitigated it: {reason}"),
        Event::Resolved { reason, .. } => format!("resolved by {by}: {reason}"),
        Event::Merged { number, reason, .. } => {
            format!("{by} merged it into incident {number}: {reason}")
        }
        Event::MergeProposed { number, reason } => {
            let from = incident.number;
            let command = format!("tocsin incident merge {from} --into {number}");
            format!("{reason}; if it is, merge it: `{command}`")
        }
        Event::Reopened { reason } => match by {
            Actor::Tocsin => format!("reopened: {reason}"),
            by => format!("{by} reopened it: {reason}"),
        },
        Event::Closed {} => format!("{by} closed it"),
        _ => return None,
    };
    Some(text)
}
