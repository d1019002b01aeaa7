//! Where an alert belongs.

use serde::{Deserialize, Serialize};

use crate::{IncidentKey, TeamId};

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

impl Route {
    /// The incident that it names, now or once enough alerts wait.
    #[must_use]
    pub fn target(&self) -> Option<&Target> {
        match self {
            Self::Incident(target) | Self::Wait { target, .. } => Some(target),
            Self::Ignore => None,
        }
    }
}
