//! Whom to page, and when the next step follows unless somebody acknowledges.

mod plan;

use serde::{Deserialize, Serialize};

use crate::command::{Env, Opening, Outcome, Refusal, Responders};
use crate::event::{Event, Recorded};
use crate::incident::Incident;
use crate::{Actor, Timestamp, limits, paging};

pub use plan::{PageTarget, Plan, Step, UnknownPageTarget};

/// Whom to page, and where the plan stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Escalation {
    /// The plan.
    pub plan: Plan,
    /// The step that comes next; past the end the last one repeats.
    pub next_step: u32,
    /// How often the last step has been repeated.
    pub round: u32,
    /// When it comes; `None` while the escalation rests.
    pub due: Option<Timestamp>,
}

impl Escalation {
    /// A plan's beginning: its first step is due at once.
    pub(crate) fn starting(plan: Plan, at: Timestamp) -> Self {
        let due = (!plan.steps.is_empty()).then_some(at);
        Self {
            plan,
            next_step: 0,
            round: 0,
            due,
        }
    }

    pub(crate) fn fold(&mut self, event: &Event, at: Timestamp) {
        match event {
            Event::Planned { plan, .. } => *self = Self::starting(plan.clone(), at),
            Event::Escalated {
                step,
                round,
                next_at,
                ..
            } => {
                self.next_step = step + 1;
                self.round = *round;
                self.due = Some(*next_at);
            }
            Event::Reopened { .. } => *self = Self::starting(std::mem::take(&mut self.plan), at),
            event if event.traits().ends_paging => self.due = None,
            _ => {}
        }
    }
}

/// When the next step is due; never once somebody has acknowledged.
pub(crate) fn due(incident: &Incident) -> Option<Timestamp> {
    let is_acknowledged = incident.lifecycle.acknowledged_at.is_some();
    incident.escalation.due.filter(|_| !is_acknowledged)
}

/// The events of a new plan after `events`, which call for it, and of its first step.
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

/// The events of taking the plan's next step: the step, and a page to everybody of the responders
/// who has none underway. Nothing when the plan is empty.
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

pub(crate) fn step_due(
    incident: &Incident,
    due: Timestamp,
    responders: &Responders,
    env: Env<'_>,
) -> Result<Outcome, Refusal> {
    if !incident.is_unanswered() || incident.escalation.due != Some(due) || env.now < due {
        return Err(Refusal::Stale("the escalation"));
    }
    Ok(Outcome::of(take_step(incident, responders, env)))
}

pub(crate) fn narrate(recorded: &Recorded) -> Option<String> {
    match &recorded.event {
        Event::Planned { reason, .. } => Some(format!("a new escalation plan: {reason}")),
        Event::Escalated {
            step, round, note, ..
        } => Some(step_in_words(*step, *round, note.as_deref())),
        _ => None,
    }
}

fn step_in_words(step: u32, round: u32, note: Option<&str>) -> String {
    let note = note.map_or(String::new(), |it| format!(" ({it})"));
    match (step, round) {
        (0, 0) => format!("escalation begins{note}"),
        (_, 0) => format!("nobody acknowledged: escalation step {}{note}", step + 1),
        _ => format!(
            "nobody acknowledged: step {} again, repeat {round}{note}",
            step + 1
        ),
    }
}
