//! The state of an escalation, folded from events.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::escalation::plan::{Plan, Step};
use crate::event::{Effect, Event, Recorded};
use crate::time::span_in_words;
use crate::{PersonId, SilenceRef, Timestamp};

/// Who to page, and the plan's progress.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Escalation {
    pub plan: Plan,
    /// The step that comes next; past the end the last one repeats.
    pub next_step: u32,
    /// How often the last step has been repeated.
    pub round: u32,
    /// When that step is due; `None` while the escalation is stopped.
    pub due: Option<Timestamp>,
    /// Whether it pauses because every firing alert is silenced.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub silenced: bool,
    /// Who withdrew an acknowledgement, until they acknowledge again or a new plan begins. A step
    /// that reaches nobody else is not waited for.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub withdrawn: BTreeSet<PersonId>,
}

impl Escalation {
    /// The start of a plan: its first step is due immediately, unless it is for later.
    pub(crate) fn starting(plan: Plan, at: Timestamp) -> Self {
        Self {
            due: plan.due(0, at),
            plan,
            next_step: 0,
            round: 0,
            silenced: false,
            withdrawn: BTreeSet::new(),
        }
    }

    /// Whether its next step is due.
    #[must_use]
    pub(crate) fn is_due(&self, now: Timestamp) -> bool {
        self.due.is_some_and(|due| due <= now)
    }

    /// The steps whose responders are looked up when the next step is due, in order: that step, and
    /// after a withdrawal those that follow it. None for an empty plan.
    pub fn ahead(&self) -> impl Iterator<Item = &Step> {
        let steps = &self.plan.steps;
        let at = self.next_step as usize;
        let next = steps.get(at).or(steps.last());
        let later = steps.iter().skip(at + 1);
        next.into_iter()
            .chain(later.filter(|_| !self.withdrawn.is_empty()))
    }

    /// `acknowledged`: whether the incident is, so that a new plan does not begin yet.
    pub(crate) fn fold(&mut self, recorded: &Recorded, acknowledged: bool) {
        let (event, at) = (&recorded.event, recorded.at);
        if let (Event::Acknowledged { .. }, Some(person)) = (event, recorded.by.person()) {
            self.withdrawn.remove(person);
        }
        match event {
            Event::Unacknowledged { .. } => {
                let mut withdrawn = std::mem::take(&mut self.withdrawn);
                withdrawn.extend(recorded.by.person().cloned());
                *self = Self::starting(std::mem::take(&mut self.plan), at);
                self.withdrawn = withdrawn;
            }
            Event::Planned { plan, .. } => {
                let silenced = self.silenced;
                *self = Self::starting(plan.clone(), at);
                self.silenced = silenced;
                self.due = self.due.filter(|_| !acknowledged && !silenced);
            }
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
            Event::Silenced { .. } => (self.due, self.silenced) = (None, true),
            Event::Unsilenced {
                next_step, next_at, ..
            } => {
                self.next_step = *next_step;
                (self.due, self.silenced) = (*next_at, false);
            }
            _ => match event.traits().effect {
                Effect::StartsAgain => *self = Self::starting(std::mem::take(&mut self.plan), at),
                Effect::EndsPaging => (self.due, self.silenced) = (None, false),
                Effect::None => {}
            },
        }
    }
}

pub(crate) fn narrate(recorded: &Recorded) -> Option<String> {
    match &recorded.event {
        Event::Planned {
            plan,
            reason,
            source,
        } => {
            let later = later_in_words(plan, recorded.at).unwrap_or_default();
            let by = source.place();
            Some(format!("a new escalation plan by {by}{later}: {reason}"))
        }
        Event::Escalated {
            step, round, note, ..
        } => Some(step_in_words(*step, *round, note.as_deref())),
        Event::Silenced { by } => Some(pause_in_words(by)),
        Event::Unsilenced { reason, .. } => Some(format!("escalation resumes: {reason}")),
        _ => None,
    }
}

/// When a plan that starts now first pages somebody, if that is later.
pub(crate) fn later_in_words(plan: &Plan, now: Timestamp) -> Option<String> {
    let wait_ms = plan.first_page_at(now)?.since(now);
    let wait = (wait_ms > 0).then(|| span_in_words(wait_ms))?;
    Some(format!("; the first page comes in {wait}"))
}

fn pause_in_words(by: &[SilenceRef]) -> String {
    let paused = "escalation pauses: every firing alert is silenced";
    let names: Vec<_> = by.iter().map(ToString::to_string).collect();
    match names.as_slice() {
        [] => paused.to_owned(),
        names => format!("{paused} by {}", names.join(" and ")),
    }
}

fn step_in_words(step: u32, round: u32, note: Option<&str>) -> String {
    let note = note.map_or(String::new(), |it| format!(" ({it})"));
    match (step, round) {
        (0, 0) => format!("escalation begins{note}"),
        // A step may follow another at once, before anybody could have acknowledged.
        (_, 0) => format!("not acknowledged: escalation step {}{note}", step + 1),
        _ => format!(
            "not acknowledged: step {} again, repeat {round}{note}",
            step + 1
        ),
    }
}
