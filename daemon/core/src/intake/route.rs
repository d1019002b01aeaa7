//! Routes: the verdicts of routing policies.

use serde::{Deserialize, Serialize};

use crate::{IncidentKey, Labels, TeamId};

/// Where an alert belongs: the result of `route(alert)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "lowercase")]
pub enum Route {
    /// In the incident with this key, which opens if there is none.
    Incident(Target),
    /// In no incident; the alert is stored and shown.
    Ignore,
    /// In the incident, once `count` distinct alerts wait under its key within `window_ms`.
    Wait {
        target: Target,
        /// Between 2 and [`WAIT_COUNT_MAX`](crate::limits::WAIT_COUNT_MAX).
        count: u32,
        window_ms: u64,
        /// What becomes of an alert whose window ends before there are as many.
        #[serde(default)]
        otherwise: Otherwise,
    },
}

/// What becomes of an alert that waited in vain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Otherwise {
    /// The incident opens after all, with every alert that still waits under its key.
    #[default]
    Open,
    /// The alert opens nothing for as long as it fires on; it still joins the incident of its key
    /// once others have opened that.
    Ignore,
}

/// The incident that an alert belongs to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// At most one incident is open per key.
    pub key: IncidentKey,
    /// The affected service.
    pub service: String,
    /// The team that owns it, if the policy knows.
    #[serde(default)]
    pub team: Option<TeamId>,
    /// The incident's title; the alert's when absent.
    #[serde(default)]
    pub title: Option<String>,
    /// Incidents whose first alert has these labels, that opened in the hour before this one and
    /// that nobody has touched, are merged into it. Empty: none.
    #[serde(default)]
    pub merges: Labels,
}

impl Route {
    /// The incident, now or once enough alerts wait.
    #[must_use]
    pub fn target(&self) -> Option<&Target> {
        match self {
            Self::Incident(target) | Self::Wait { target, .. } => Some(target),
            Self::Ignore => None,
        }
    }
}
