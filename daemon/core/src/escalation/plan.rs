//! Who to page, and when: the verdict of an escalation policy.

use serde::{Deserialize, Serialize};

use crate::{PersonId, TeamId};

/// Who to page, in which order: the result of `escalate(incident)`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// In order; the last repeats until someone acknowledges. Between 1 and
    /// [`PLAN_STEPS_MAX`](crate::limits::PLAN_STEPS_MAX); a policy may also return an empty plan,
    /// which pages nobody, but only for a minor incident.
    pub steps: Vec<Step>,
}

/// One step of an escalation plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    pub page: Vec<PageTarget>,
    /// How long to wait for an acknowledgement before the next step, in milliseconds; at least
    /// [`STEP_WAIT_MS_MIN`](crate::limits::STEP_WAIT_MS_MIN).
    pub wait_ms: u64,
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
