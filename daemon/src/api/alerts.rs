//! Alerts: a page of them, or one with all its details.

use serde::{Deserialize, Serialize};
use tocsin_core::intake::HistoryKind;
use tocsin_core::{Labels, Status};
use utoipa::{IntoParams, ToSchema};

use super::{PolicyLine, SilenceLine};

/// Which alerts to list.
#[derive(Debug, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct AlertQuery {
    /// Only firing (`true`) or only resolved (`false`) alerts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) firing: Option<bool>,
    /// Maximum number of alerts, 1 to 1000. Default 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) limit: Option<usize>,
    /// `next_after` of the previous page.
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
    /// `after` for the next page; null on the last page.
    pub(crate) next_after: Option<String>,
}

/// An alert in its current state.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct AlertLine {
    /// The integration that sends it.
    pub(crate) integration: String,
    /// Identifies it within the integration.
    pub(crate) fingerprint: String,
    /// Whether it is firing.
    pub(crate) firing: bool,
    pub(crate) title: String,
    /// The labels, by which policies route and grade.
    #[schema(value_type = Object)]
    pub(crate) labels: Labels,
    /// A URL for people.
    pub(crate) link: Option<String>,
    #[schema(inline)]
    pub(crate) place: AlertPlace,
    /// The number of its incident, if it has one.
    pub(crate) incident: Option<u64>,
    /// The IDs of the active silences that match it, while it is firing.
    #[serde(default)]
    pub(crate) silenced_by: Vec<String>,
    /// The status of that incident: an alert can be firing although a person resolved it.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "resolved")]
    pub(crate) incident_status: Option<Status>,
    /// Since when it has been firing, according to its sender.
    pub(crate) starts_at: String,
    /// When the daemon last received it.
    pub(crate) last_seen: String,
    /// When it is resolved unless it is received again.
    pub(crate) lease_until: Option<String>,
    /// When this dead man's switch fires unless it is heard of again.
    #[serde(default)]
    pub(crate) fires_at: Option<String>,
}

/// An alert with the reason for its place.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct AlertDetail {
    #[serde(flatten)]
    pub(crate) line: AlertLine,
    /// More text than the title, if its sender wrote any.
    pub(crate) summary: String,
    /// The annotations, for people.
    #[schema(value_type = Object)]
    pub(crate) annotations: Labels,
    /// Who resolved its incident, if a person did.
    #[serde(default)]
    pub(crate) incident_resolved_by: Option<String>,
    /// When its incident reopens unless the alert ends before, if it is resolved.
    #[serde(default)]
    pub(crate) incident_reopens_at: Option<String>,
    /// Why the routing policy put it into its place, if it was asked.
    #[serde(default)]
    pub(crate) route_reason: Option<String>,
    /// The routing policy that did.
    #[serde(default)]
    pub(crate) routed_by: Option<PolicyLine>,
    /// When the routing policy is asked again by the clock, if it ignored the alert.
    #[serde(default)]
    pub(crate) routed_again_at: Option<String>,
    /// Why the policy ignored it, if it did.
    pub(crate) ignored_because: Option<String>,
    /// If it waits to open an incident together with other alerts: that incident's key.
    pub(crate) waiting_for: Option<String>,
    /// When its wait ends; then the incident opens anyway or the alert is ignored, as the policy
    /// said.
    pub(crate) waiting_until: Option<String>,
    /// The silences of `silenced_by`.
    #[serde(default)]
    pub(crate) silences: Vec<SilenceLine>,
    /// When the daemon first received it.
    pub(crate) first_seen: String,
    /// When it last started or stopped firing.
    pub(crate) changed_at: String,
    /// How often it was received again while firing.
    pub(crate) repeats: u64,
}

/// Which part of an alert's history to show.
#[derive(Debug, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct HistoryQuery {
    /// Maximum number of changes, 1 to 1000. Default 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) limit: Option<usize>,
    /// `next_before` of the previous page, in milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) before: Option<i64>,
    /// A token, for clients that can send no header.
    #[serde(rename = "key", skip_serializing_if = "Option::is_none")]
    pub(crate) _key: Option<String>,
}

/// How an alert changed, the newest first.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct AlertHistory {
    pub(crate) changes: Vec<AlertChange>,
    /// `before` for the next page; null on the last page. A page can be empty although it is not
    /// the last, as a search is limited.
    pub(crate) next_before: Option<i64>,
}

/// An alert as a signal left it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct AlertChange {
    /// When the daemon received the signal.
    pub(crate) at: String,
    /// `began` to fire, `changed`, `ended`, or `acknowledged` in its sender's own system.
    #[schema(value_type = String, example = "began")]
    pub(crate) change: HistoryKind,
    /// Whether it was firing.
    pub(crate) firing: bool,
    pub(crate) title: String,
    pub(crate) summary: String,
    #[schema(value_type = Object)]
    pub(crate) labels: Labels,
    /// The annotations, for people.
    #[schema(value_type = Object)]
    pub(crate) annotations: Labels,
    /// A URL for people.
    pub(crate) link: Option<String>,
    /// Since when it fired, according to its sender.
    pub(crate) starts_at: String,
    /// Where it went.
    #[schema(inline)]
    pub(crate) place: AlertPlace,
    /// The number of its incident, if it was in one.
    pub(crate) incident: Option<u64>,
    /// Why the policy ignored it, if it did.
    pub(crate) ignored_because: Option<String>,
}

/// That an alert is over.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AlertEnd {
    /// Why that is believed; for the incident's log.
    #[serde(default)]
    pub(crate) reason: Option<String>,
}

/// Whether an alert is part of an incident, and if not, why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum AlertPlace {
    Incident,
    Ignored,
    Waiting,
    Silenced,
    /// It is a dead man's switch that has never fired.
    Expected,
}

impl AlertPlace {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Incident => "incident",
            Self::Ignored => "ignored",
            Self::Waiting => "waiting",
            Self::Silenced => "silenced",
            Self::Expected => "expected",
        }
    }
}
