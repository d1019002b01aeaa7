//! What policies answer. A verdict comes with its reason and with the policy that gave it, and
//! is stored in the event it led to, so that a replay never runs a script.

use serde::{Deserialize, Serialize};

use crate::{Grade, IncidentKey, PersonId, TeamId};

/// An answer of a policy, why, and whose.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict<T> {
    /// The answer.
    pub value: T,
    /// Why, in words for the log; at most
    /// [`REASON_BYTES_MAX`](crate::limits::REASON_BYTES_MAX).
    pub reason: String,
    /// The policy that gave it.
    pub source: PolicySource,
}

/// Which policy gave a verdict, and from what.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PolicySource {
    /// The file, relative to the policies' folder; `builtin` when no policy answered.
    pub file: String,
    /// BLAKE3 of the file's text in hex, first 16 digits; empty for `builtin`.
    pub hash: String,
    /// What it was asked, as JSON, cut to
    /// [`VERDICT_INPUT_BYTES_MAX`](crate::limits::VERDICT_INPUT_BYTES_MAX) with every value cut
    /// before any key is lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<serde_json::Value>,
    /// Why no policy answered and the built-in verdict stands: the report, with
    /// `file:line:column` and the remedy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<String>,
}

/// Where an alert belongs: the answer of `route(alert)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "lowercase")]
pub enum Route {
    /// To the incident with this key, opened if there is none.
    Incident(Target),
    /// To no incident; the alert is kept and shown.
    Ignore,
    /// To the incident, once `count` distinct alerts wait under its key within `window_ms`.
    Wait {
        /// Where it will belong.
        target: Target,
        /// How many distinct alerts it takes; at least 2.
        count: u32,
        /// Within how many milliseconds.
        window_ms: u64,
    },
}

/// The incident that an alert belongs to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// One incident is open per key.
    pub key: IncidentKey,
    /// The service that is hurt.
    pub service: String,
    /// The team that owns it, if the policy knows.
    #[serde(default)]
    pub team: Option<TeamId>,
    /// The incident's title; the alert's when absent.
    #[serde(default)]
    pub title: Option<String>,
}

/// How bad it is: the answer of `grade(incident, alert)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grading {
    /// The grade.
    pub grade: Grade,
    /// Whether only people with clearance may know.
    #[serde(default)]
    pub security: bool,
}

/// Whom to wake, and whom next: the answer of `escalate(incident)`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// In order; the last repeats until someone acknowledges. Between 1 and
    /// [`PLAN_STEPS_MAX`](crate::limits::PLAN_STEPS_MAX); an empty plan pages nobody, and only
    /// a policy that says so for a minor incident gives one.
    pub steps: Vec<Step>,
}

/// One step of an escalation plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Whom to page at this step.
    pub page: Vec<PageTarget>,
    /// How long to wait for an acknowledgement before the next step, in milliseconds; at least
    /// [`STEP_WAIT_MS_MIN`](crate::limits::STEP_WAIT_MS_MIN).
    pub wait_ms: u64,
}

/// Somebody to page, as a policy names them: `person:ada`, `oncall:payments`, `team:payments`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PageTarget {
    /// This person.
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

/// A text that names nobody to page.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` names nobody to page; use person:NAME, oncall:ROTATION or team:NAME")]
pub struct UnknownPageTarget(pub String);
