//! The responses of Alertmanager's API v2.

use serde::Serialize;
use tocsin_core::{Labels, Timestamp};

use crate::time::format_time;

/// An alert, as queries use it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AlertRecord {
    pub fingerprint: String,
    pub labels: Labels,
    pub annotations: Labels,
    /// Since when it has been firing.
    pub starts_at: Timestamp,
    /// The end of its lease. `None`: it fires until its sender resolves it.
    pub ends_at: Option<Timestamp>,
    /// When it was last received.
    pub updated_at: Timestamp,
    /// Where a person can look.
    pub link: Option<String>,
    /// At least one.
    pub receivers: Vec<String>,
    /// The labels that its group shares.
    pub group: Labels,
    /// Whether it has been processed.
    pub processed: bool,
    /// The ids of the silences that match it now.
    pub silenced_by: Vec<String>,
    /// The fingerprints of the alerts that inhibit it.
    pub inhibited_by: Vec<String>,
}

impl AlertRecord {
    #[must_use]
    pub fn state(&self) -> AlertState {
        if self.is_muted() {
            AlertState::Suppressed
        } else if self.processed {
            AlertState::Active
        } else {
            AlertState::Unprocessed
        }
    }

    /// Whether it is silenced or inhibited.
    #[must_use]
    pub fn is_muted(&self) -> bool {
        !self.silenced_by.is_empty() || !self.inhibited_by.is_empty()
    }

    /// Whether it is resolved.
    #[must_use]
    pub fn has_ended(&self, now: Timestamp) -> bool {
        self.ends_at.is_some_and(|at| at < now)
    }
}

/// An alert's state, in Alertmanager's terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AlertState {
    /// Not processed yet.
    Unprocessed,
    Active,
    /// It is silenced or inhibited.
    Suppressed,
}

/// `alertStatus`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AlertStatus {
    pub state: AlertState,
    /// Silences, by id.
    pub silenced_by: Vec<String>,
    /// Inhibiting alerts, by fingerprint.
    pub inhibited_by: Vec<String>,
    /// Mute times, by name; the daemon has none.
    pub muted_by: Vec<String>,
}

/// `gettableAlert`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GettableAlert {
    /// What people read.
    pub annotations: Labels,
    /// RFC 3339; for an alert without an end, a time in the future.
    pub ends_at: String,
    /// 16 hex digits when it came through this API.
    pub fingerprint: String,
    pub receivers: Vec<Receiver>,
    /// RFC 3339.
    pub starts_at: String,
    pub status: AlertStatus,
    /// RFC 3339.
    pub updated_at: String,
    /// Where a person can look.
    #[serde(rename = "generatorURL", skip_serializing_if = "Option::is_none")]
    pub generator_url: Option<String>,
    pub labels: Labels,
}

/// How far in the future the end of an alert without an end is shown, in milliseconds: the API
/// requires an end, and clients treat an alert with a past end as resolved.
const NO_END_MS: u64 = 24 * tocsin_core::time::HOUR_MS;

impl GettableAlert {
    /// The alert as it is shown at `now`.
    #[must_use]
    pub fn of(record: &AlertRecord, now: Timestamp) -> Self {
        Self {
            annotations: record.annotations.clone(),
            ends_at: format_time(record.ends_at.unwrap_or_else(|| now.plus_ms(NO_END_MS))),
            fingerprint: record.fingerprint.clone(),
            receivers: record.receivers.iter().map(Receiver::named).collect(),
            starts_at: format_time(record.starts_at),
            status: AlertStatus {
                state: record.state(),
                silenced_by: record.silenced_by.clone(),
                inhibited_by: record.inhibited_by.clone(),
                muted_by: Vec::new(),
            },
            updated_at: format_time(record.updated_at),
            generator_url: record.link.clone(),
            labels: record.labels.clone(),
        }
    }
}

/// `alertGroup`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AlertGroup {
    /// What its alerts share.
    pub labels: Labels,
    /// What the route adds; the daemon's routes add nothing.
    pub route_labels: Labels,
    pub receiver: Receiver,
    /// Its alerts, by fingerprint.
    pub alerts: Vec<GettableAlert>,
}

/// `receiver` and `receiverReference`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Receiver {
    pub name: String,
}

impl Receiver {
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into() }
    }
}

impl From<&String> for Receiver {
    fn from(name: &String) -> Self {
        Self::named(name)
    }
}

/// `alertmanagerStatus`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StatusView {
    /// The cluster; one daemon has none.
    pub cluster: ClusterStatus,
    pub version_info: VersionInfo,
    /// The configuration; `amtool` shows it, so it must not contain secrets.
    pub config: ConfigText,
    /// The start time, RFC 3339, although the field is called `uptime`.
    pub uptime: String,
}

impl StatusView {
    /// The status of one daemon without a cluster.
    pub fn alone(
        version: impl Into<String>,
        redacted_config: impl Into<String>,
        started_at: Timestamp,
    ) -> Self {
        Self {
            cluster: ClusterStatus {
                status: "disabled",
                peers: Vec::new(),
            },
            version_info: VersionInfo {
                version: version.into(),
                ..VersionInfo::default()
            },
            config: ConfigText {
                original: redacted_config.into(),
            },
            uptime: format_time(started_at),
        }
    }
}

/// `clusterStatus`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClusterStatus {
    /// `ready`, `settling` or `disabled`.
    pub status: &'static str,
    pub peers: Vec<PeerStatus>,
}

/// `peerStatus`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PeerStatus {
    pub name: String,
    pub address: String,
}

/// `versionInfo`; unknown fields are empty, as the API requires all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VersionInfo {
    pub version: String,
    pub revision: String,
    pub branch: String,
    /// Who built it.
    pub build_user: String,
    /// When it was built.
    pub build_date: String,
    /// The compiler, despite the field's name.
    pub go_version: String,
}

/// `alertmanagerConfig`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConfigText {
    /// The configuration as text, redacted.
    pub original: String,
}
