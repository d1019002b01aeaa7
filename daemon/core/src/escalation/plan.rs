//! Who to page, and when: the verdict of an escalation policy.

use serde::{Deserialize, Serialize};

use crate::{PersonId, TeamId, Timestamp, limits};

/// Who to page, in which order: the result of `escalate(incident)`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// In order; the last repeats until someone acknowledges. Between 1 and
    /// [`PLAN_STEPS_MAX`](crate::limits::PLAN_STEPS_MAX); a policy may also return an empty plan,
    /// which pages nobody, but only for a minor incident.
    pub steps: Vec<Step>,
    /// How long an acknowledgement holds, in milliseconds; by grade if absent. Between
    /// [`HOLD_MS_MIN`](crate::limits::HOLD_MS_MIN) and [`HOLD_MS_MAX`](crate::limits::HOLD_MS_MAX).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold_ms: Option<u64>,
    /// When the last step repeats at the earliest, if it waits for a time of the week.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeats_at: Option<Timestamp>,
}

/// One step of an escalation plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Empty if the step only waits, which the last one never does.
    pub page: Vec<PageTarget>,
    /// How long to wait for an acknowledgement before the next step, in milliseconds; between
    /// [`STEP_WAIT_MS_MIN`](crate::limits::STEP_WAIT_MS_MIN) and
    /// [`STEP_WAIT_MS_MAX`](crate::limits::STEP_WAIT_MS_MAX).
    pub wait_ms: u64,
    /// When it is taken at the earliest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

impl Plan {
    /// When a step is due, if the waits before it end at `from`. Past the end the last one repeats.
    #[must_use]
    pub(crate) fn due(&self, step: u32, from: Timestamp) -> Option<Timestamp> {
        self.steps.last()?;
        let step = self.steps.get(step as usize);
        let at = step.map_or(self.repeats_at, |it| it.at);
        Some(at.map_or(from, |at| at.max(from)))
    }

    /// How long a step waits for an acknowledgement, in milliseconds.
    #[must_use]
    pub(crate) fn wait_ms(&self, step: usize, round: u32) -> u64 {
        let wait_ms = self.steps.get(step).map_or(0, |it| it.wait_ms);
        match round > limits::EARLY_REPEATS_MAX {
            true => wait_ms.max(limits::LATE_REPEAT_WAIT_MS_MIN),
            false => wait_ms,
        }
    }

    /// The time that the last step waits for before it repeats, if that is still to come.
    #[must_use]
    pub(crate) fn repeats_later(&self, now: Timestamp) -> Option<Timestamp> {
        self.repeats_at.filter(|at| *at > now)
    }

    /// The first step from this place on that pages somebody, and when it does, if the waits before
    /// that place end at `from` and nobody acknowledges. `None` for an empty plan.
    #[must_use]
    pub(crate) fn next_page(&self, step: usize, mut from: Timestamp) -> Option<(usize, Timestamp)> {
        self.steps.last()?;
        for (place, step) in self.steps.iter().enumerate().skip(step) {
            from = step.at.map_or(from, |at| at.max(from));
            if !step.page.is_empty() {
                return Some((place, from));
            }
            from = from.plus_ms(step.wait_ms);
        }
        let repeats_at = self.repeats_at.map_or(from, |at| at.max(from));
        Some((self.steps.len(), repeats_at))
    }
}

/// Where an escalation has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The step that comes next; past the end the last one repeats.
    pub next_step: u32,
    /// How often the last step has been repeated.
    pub round: u32,
    /// When that step is due, unless the escalation is stopped.
    pub next_at: Timestamp,
}

/// Somebody to page, as a policy names them: `person:ada`, `oncall:payments`, `team:payments`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PageTarget {
    Person(PersonId),
    /// Whoever is on call in this rotation when the step is taken.
    OnCall(String),
    /// Everybody in this team.
    Team(TeamId),
}

impl std::fmt::Display for PageTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Person(id) => write!(f, "person:{id}"),
            Self::OnCall(rotation) => write!(f, "oncall:{rotation}"),
            Self::Team(id) => write!(f, "team:{id}"),
        }
    }
}

impl std::str::FromStr for PageTarget {
    type Err = UnknownPageTarget;

    fn from_str(text: &str) -> Result<Self, UnknownPageTarget> {
        let unknown = || UnknownPageTarget(text.to_owned());
        let (kind, name) = text.split_once(':').ok_or_else(unknown)?;
        if name.is_empty() {
            return Err(unknown());
        }
        match kind {
            "person" => Ok(Self::Person(name.into())),
            "oncall" => Ok(Self::OnCall(name.to_owned())),
            "team" => Ok(Self::Team(name.into())),
            _ => Err(unknown()),
        }
    }
}

impl Serialize for PageTarget {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PageTarget {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A string that is not a valid page target.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` names nobody to page; use person:NAME, oncall:ROTATION or team:NAME")]
pub struct UnknownPageTarget(pub String);
