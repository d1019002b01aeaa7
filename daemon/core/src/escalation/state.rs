//! The state of an escalation, folded from events.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::escalation::hold::{self, Hold, HoldStage};
use crate::escalation::plan::{PageTarget, Plan, Position, Step};
use crate::event::{Effect, Event, Recorded};
use crate::time::span_in_words;
use crate::{PersonId, SilenceRef, Timestamp, limits};

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
    /// When the wait began that is under way; `None` before the first step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_at: Option<Timestamp>,
    /// Whom the steps that were taken page, also those of plans that this one goes on with; at most
    /// [`PAGED_TARGETS_MAX`](limits::PAGED_TARGETS_MAX).
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub paged: BTreeSet<PageTarget>,
    /// Until when the acknowledgement holds, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<Hold>,
}

impl Escalation {
    /// The start of a plan: its first step is due immediately, unless it is for later.
    pub(crate) fn starting(plan: Plan, at: Timestamp) -> Self {
        Self {
            due: plan.due(0, at),
            plan,
            next_step: 0,
            round: 0,
            ..Self::default()
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
            Event::Planned { plan, goes_on, .. } => {
                let (silenced, mut hold) = (self.silenced, self.hold);
                let is_passed_on = |it: &Hold| it.stage == HoldStage::PassedOn;
                let waits = goes_on.is_some() && hold.as_ref().is_some_and(is_passed_on);
                match goes_on {
                    Some(it) => {
                        self.plan = plan.clone();
                        (self.next_step, self.round) = (it.next_step, it.round);
                        self.due = Some(it.next_at);
                    }
                    // It does not wait for whoever has not acknowledged.
                    None => {
                        *self = Self::starting(plan.clone(), at);
                        hold = hold.filter(|it| acknowledged || !is_passed_on(it));
                    }
                }
                (self.silenced, self.hold) = (silenced, hold);
                self.due = self.due.filter(|_| !(acknowledged || silenced || waits));
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
                self.taken_at = Some(at);
                self.count_paged(*step);
            }
            Event::Acknowledged { .. } => (self.due, self.silenced) = (None, false),
            Event::Silenced { .. } => (self.due, self.silenced) = (None, true),
            Event::Unsilenced {
                next_step, next_at, ..
            } => {
                if *next_step < self.next_step {
                    self.forget_paged(*next_step);
                }
                self.next_step = *next_step;
                self.taken_at = self.taken_at.map(|_| at);
                (self.due, self.silenced) = (*next_at, false);
            }
            _ => match event.traits().effect {
                Effect::StartsAgain => *self = Self::starting(std::mem::take(&mut self.plan), at),
                Effect::EndsPaging => (self.due, self.silenced, self.hold) = (None, false, None),
                Effect::None => {}
            },
        }
        hold::fold(&mut self.hold, recorded);
    }

    /// The grade has risen above what was acknowledged.
    pub(crate) fn has_risen(&mut self, at: Timestamp) {
        self.hold = Some(Hold::of(at, HoldStage::Risen));
    }

    /// The acknowledgement holds until then.
    pub(crate) fn holds(&mut self, until: Timestamp) {
        self.hold = Some(Hold::of(until, HoldStage::Holds));
    }

    fn count_paged(&mut self, step: u32) {
        let step = self.plan.steps.get(step as usize);
        for target in step.into_iter().flat_map(|it| &it.page) {
            if self.paged.len() < limits::PAGED_TARGETS_MAX {
                self.paged.insert(target.clone());
            }
        }
    }

    /// A step is taken again, as its pages had ended before anybody was reached.
    fn forget_paged(&mut self, step: u32) {
        let step = self.plan.steps.get(step as usize);
        for target in step.into_iter().flat_map(|it| &it.page) {
            self.paged.remove(target);
        }
    }
}

pub(crate) fn narrate(recorded: &Recorded) -> Option<String> {
    match &recorded.event {
        Event::Planned {
            plan,
            reason,
            source,
            goes_on,
        } => {
            let later = match goes_on {
                Some(position) => Some(going_on_in_words(plan, *position, recorded.at)),
                None => later_in_words(plan, recorded.at),
            };
            let (by, later) = (source.place(), later.unwrap_or_default());
            Some(format!("a new escalation plan by {by}{later}: {reason}"))
        }
        Event::Escalated {
            step, round, note, ..
        } => Some(step_in_words(*step, *round, note.as_deref())),
        Event::Silenced { by } => Some(pause_in_words(by)),
        Event::Unsilenced { reason, .. } => Some(format!("escalation resumes: {reason}")),
        _ => hold::narrate(recorded),
    }
}

/// When a plan that starts now first pages somebody, if that is later.
pub(crate) fn later_in_words(plan: &Plan, now: Timestamp) -> Option<String> {
    let (_, at) = plan.next_page(0, now)?;
    let wait_ms = at.since(now);
    let wait = (wait_ms > 0).then(|| span_in_words(wait_ms))?;
    Some(format!("; the first page comes in {wait}"))
}

fn going_on_in_words(plan: &Plan, position: Position, now: Timestamp) -> String {
    let step = (position.next_step as usize + 1).min(plan.steps.len());
    let again = match position.next_step as usize >= plan.steps.len() {
        true => " again",
        false => "",
    };
    let wait = match position.next_at.since(now) {
        0 => String::new(),
        wait_ms => format!(" in {}", span_in_words(wait_ms)),
    };
    format!("; it goes on with step {step}{again}{wait}")
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
