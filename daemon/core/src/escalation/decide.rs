//! When an escalation step is due, and the events of taking it.

use crate::escalation::plan::Step;
use crate::event::Event;
use crate::incident::Incident;
use crate::outcome::{Env, Opening, Outcome, Responders};
use crate::refusal::Refusal;
use crate::{Actor, Timestamp, limits, paging};

/// When the next step is due; `None` once acknowledged.
pub(crate) fn due(incident: &Incident) -> Option<Timestamp> {
    let is_acknowledged = incident.lifecycle.acknowledged_at.is_some();
    incident.escalation.due.filter(|_| !is_acknowledged)
}

/// `events`, which call for a new plan, followed by the events of that plan and its first step.
pub(crate) fn replan(
    incident: &Incident,
    mut events: Vec<Event>,
    opening: &Opening,
    by: &Actor,
    env: Env<'_>,
) -> Vec<Event> {
    let plan = opening.plan.clone();
    events.push(Event::Planned {
        plan: plan.value,
        reason: plan.reason,
        source: plan.source,
    });
    let after = incident.after(&events, by, env.now);
    events.extend(take_step(&after, &opening.responders, env));
    events
}

/// The events of taking the plan's next step: the step, and a page to each responder without a
/// page in progress. Empty when the plan is empty.
pub(crate) fn take_step(incident: &Incident, responders: &Responders, env: Env<'_>) -> Vec<Event> {
    let escalation = &incident.escalation;
    let Some(last) = escalation.plan.steps.len().checked_sub(1) else {
        return Vec::new();
    };
    let next = escalation.next_step as usize;
    let (step, round) = if next > last {
        (last, escalation.round.saturating_add(1))
    } else {
        (next, escalation.round)
    };
    let mut wait_ms = escalation.plan.steps[step].wait_ms;
    if round > limits::EARLY_REPEATS_MAX {
        wait_ms = wait_ms.max(limits::LATE_REPEAT_WAIT_MS_MIN);
    }
    let step = u32::try_from(step).unwrap_or(u32::MAX);
    let mut events = vec![Event::Escalated {
        step,
        round,
        next_at: env.now.plus_ms(wait_ms),
        note: responders.note.clone(),
    }];
    let people = responders.people.iter().take(limits::STEP_PEOPLE_MAX);
    events.extend(paging::page_all(incident, people, step, env));
    events
}

/// `step`: the one that `responders` were looked up for. Whoever looked may not have seen that the
/// plan has changed or started again.
pub(crate) fn step_due(
    incident: &Incident,
    due: Timestamp,
    step: Option<&Step>,
    responders: &Responders,
    env: Env<'_>,
) -> Result<Outcome, Refusal> {
    if !incident.is_unanswered() || incident.escalation.due != Some(due) || env.now < due {
        return Err(Refusal::Stale("the escalation"));
    }
    if incident.escalation.next() != step {
        return Err(Refusal::OtherStep);
    }
    Ok(Outcome::of(take_step(incident, responders, env)))
}
