//! Alerts: a page of them, or one with everything that is kept of it.

use serde::{Deserialize, Serialize};
use tocsin_core::Labels;
use utoipa::{IntoParams, ToSchema};

/// Which alerts to list.
#[derive(Debug, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct AlertQuery {
    /// Only those that are firing (`true`) or have ended (`false`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) firing: Option<bool>,
    /// At most so many: 1 to 1000. Default 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) limit: Option<usize>,
    /// Only those after it: `next_after` of the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) after: Option<String>,
    /// A token, for clients that can send no header.
    #[serde(rename = "key", skip_serializing_if = "Option::is_none")]
    pub(crate) _key: Option<String>,
}

/// Alerts, by integration and fingerprint.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct AlertList {
    pub(crate) alerts: Vec<AlertLine>,
    /// Where the next page begins; none after the last.
    pub(crate) next_after: Option<String>,
}

/// An alert in its present state.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct AlertLine {
    /// Who sends it.
    pub(crate) integration: String,
    /// Its identity there.
    pub(crate) fingerprint: String,
    /// Whether it is firing.
    pub(crate) firing: bool,
    pub(crate) title: String,
    /// What policies go by.
    #[schema(value_type = Object)]
    pub(crate) labels: Labels,
    /// Where a person can look.
    pub(crate) link: Option<String>,
    #[schema(inline)]
    pub(crate) place: AlertPlace,
    /// The incident's number, when it is in one.
    pub(crate) incident: Option<u64>,
    /// Since when it is firing, as its sender says.
    pub(crate) starts_at: String,
    /// When the daemon last received it.
    pub(crate) last_seen: String,
    /// When it counts as resolved unless it is received again.
    pub(crate) lease_until: Option<String>,
}

/// An alert with what explains its place.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct AlertDetail {
    #[serde(flatten)]
    pub(crate) line: AlertLine,
    /// More than the title, when its sender wrote more.
    pub(crate) summary: String,
    /// What people read.
    #[schema(value_type = Object)]
    pub(crate) annotations: Labels,
    /// Why the policy ignored it, when it did.
    pub(crate) ignored_because: Option<String>,
    /// The key of the incident that it waits to open together with others, when it waits.
    pub(crate) waiting_for: Option<String>,
    /// The ids of the silences that matched it, when it is silenced.
    pub(crate) silenced_by: Vec<String>,
    /// When the daemon first received it.
    pub(crate) first_seen: String,
    /// When it last began or ceased to fire.
    pub(crate) changed_at: String,
    /// How often it was received again while it was firing.
    pub(crate) repeats: u64,
}

/// Where an alert belongs: in an incident or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum AlertPlace {
    Incident,
    Ignored,
    Waiting,
    Silenced,
}

impl AlertPlace {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Incident => "incident",
            Self::Ignored => "ignored",
            Self::Waiting => "waiting",
            Self::Silenced => "silenced",
        }
    }
}
