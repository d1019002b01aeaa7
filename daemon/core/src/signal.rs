//! A signal is one thing that a sender said about one alert, in the daemon's own words. An
//! adapter makes signals from bytes and decides nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Fingerprint, IntegrationId, Timestamp};

/// Names and values that a sender attached.
pub type Labels = BTreeMap<String, String>;

/// What a sender says of an alert now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SignalStatus {
    /// It is wrong now.
    Firing,
    /// Somebody saw it in the sender's own system (PagerDuty's `acknowledge`).
    Acknowledged,
    /// It is well again.
    Resolved,
}

/// One thing that a sender said about one alert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Signal {
    /// The integration that authenticated.
    pub integration: IntegrationId,
    /// The alert's identity within the integration.
    pub fingerprint: Fingerprint,
    /// What the sender says of it.
    pub status: SignalStatus,
    /// One line for people, at most [`TITLE_BYTES_MAX`](crate::limits::TITLE_BYTES_MAX).
    pub title: String,
    /// More for people, at most [`SUMMARY_BYTES_MAX`](crate::limits::SUMMARY_BYTES_MAX).
    #[serde(default)]
    pub summary: String,
    /// What policies route and grade by.
    pub labels: Labels,
    /// What people read.
    #[serde(default)]
    pub annotations: Labels,
    /// Since when it fires, as the sender says.
    pub starts_at: Timestamp,
    /// When it ends or ended. For a firing alert this is a lease: without a repeat before it,
    /// the alert counts as resolved. None: it fires until the sender resolves it.
    #[serde(default)]
    pub ends_at: Option<Timestamp>,
    /// Where a person can look.
    #[serde(default)]
    pub link: Option<String>,
}
