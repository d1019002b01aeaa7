//! An alert as it stands, and the exact tallies of an incident's alerts. Membership lives here,
//! in rows, and not in the incident's stream: a storm grows counters, not history.

use serde::{Deserialize, Serialize};

use crate::time::MINUTE_MS;
use crate::{
    Fingerprint, IncidentId, IncidentKey, IntegrationId, Labels, Signal, Timestamp, limits,
};

/// An alert as it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// Who sends it.
    pub integration: IntegrationId,
    /// Its identity there.
    pub fingerprint: Fingerprint,
    /// Whether it fires now.
    pub firing: bool,
    /// One line for people.
    pub title: String,
    /// More for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub summary: String,
    /// What policies go by.
    pub labels: Labels,
    /// What people read.
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub annotations: Labels,
    /// Where a person can look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// Since when it fires, as the sender says.
    pub starts_at: Timestamp,
    /// When it counts as resolved without another word; `None`: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease_until: Option<Timestamp>,
    /// When the daemon first heard of it.
    pub first_seen: Timestamp,
    /// When the daemon last heard of it.
    pub last_seen: Timestamp,
    /// When it last began or ceased to fire.
    pub changed_at: Timestamp,
    /// How often it was repeated while firing.
    #[serde(default)]
    pub repeats: u64,
    /// Where it belongs.
    pub place: Place,
}

/// Where an alert belongs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "in", rename_all = "lowercase")]
pub enum Place {
    /// In an incident.
    Incident {
        /// Which.
        id: IncidentId,
    },
    /// In none, because the routing policy said so.
    Ignored {
        /// Why.
        reason: String,
    },
    /// In none yet: it waits for company under a key.
    Waiting {
        /// The key.
        key: IncidentKey,
    },
    /// In none, because somebody silenced it.
    Silenced {
        /// The silences that matched.
        by: Vec<String>,
    },
}

impl Alert {
    /// The key of an alert's row.
    #[must_use]
    pub fn row_key(integration: &IntegrationId, fingerprint: &Fingerprint) -> String {
        format!("{integration}/{fingerprint}")
    }

    /// This alert's row key.
    #[must_use]
    pub fn key(&self) -> String {
        Self::row_key(&self.integration, &self.fingerprint)
    }

    /// The incident that it is in.
    #[must_use]
    pub fn incident(&self) -> Option<&IncidentId> {
        match &self.place {
            Place::Incident { id } => Some(id),
            _ => None,
        }
    }

    /// A new alert from a firing signal.
    #[must_use]
    pub fn begin(signal: &Signal, place: Place, now: Timestamp) -> Self {
        Self {
            integration: signal.integration.clone(),
            fingerprint: signal.fingerprint.clone(),
            firing: true,
            title: signal.title.clone(),
            summary: signal.summary.clone(),
            labels: signal.labels.clone(),
            annotations: signal.annotations.clone(),
            link: signal.link.clone(),
            starts_at: signal.starts_at,
            lease_until: signal.ends_at,
            first_seen: now,
            last_seen: now,
            changed_at: now,
            repeats: 0,
            place,
        }
    }

    /// The alert after its sender repeated that it fires.
    #[must_use]
    pub fn repeated(mut self, signal: &Signal, now: Timestamp) -> Self {
        self.title.clone_from(&signal.title);
        self.summary.clone_from(&signal.summary);
        self.annotations.clone_from(&signal.annotations);
        self.lease_until = signal.ends_at;
        self.last_seen = now;
        self.repeats = self.repeats.saturating_add(1);
        self
    }

    /// The alert after it ceased to fire.
    #[must_use]
    pub fn ended(mut self, now: Timestamp) -> Self {
        self.firing = false;
        self.last_seen = now;
        self.changed_at = now;
        self.lease_until = None;
        self
    }

    /// The alert as its sender would say it again: how the sweep asks anew for an alert whose
    /// silence has ended.
    #[must_use]
    pub fn as_signal(&self) -> Signal {
        Signal {
            integration: self.integration.clone(),
            fingerprint: self.fingerprint.clone(),
            status: crate::SignalStatus::Firing,
            title: self.title.clone(),
            summary: self.summary.clone(),
            labels: self.labels.clone(),
            annotations: self.annotations.clone(),
            starts_at: self.starts_at,
            ends_at: self.lease_until,
            link: self.link.clone(),
        }
    }
}

/// The exact tallies of an incident's alerts: a row beside the incident, changed with every
/// alert. The stream gets a copy at a bounded rate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// How many distinct alerts ever joined, and how many of them fire.
    pub counts: Counts,
    /// The counts that the stream last got.
    pub logged: Counts,
    /// When it got them.
    pub logged_at: Timestamp,
    /// How many tallies the stream has got.
    pub logged_times: u32,
    /// When the stream must get the next, if the counts differ.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_due: Option<Timestamp>,
    /// When the incident resolves by itself, while nothing fires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clear_due: Option<Timestamp>,
    /// Titles of alerts that joined since the last tally, at most
    /// [`TALLY_SAMPLE_MAX`](limits::TALLY_SAMPLE_MAX).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sample: Vec<String>,
    /// The label sets that the incident was graded for, as short hashes, at most
    /// [`SHAPES_MAX`](limits::SHAPES_MAX): grading is once per kind of alert, not per alert.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shapes: Vec<String>,
}

/// How many alerts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Distinct alerts that ever joined.
    pub total: u64,
    /// Those that fire.
    pub firing: u64,
}

impl Tally {
    /// Counts an alert that begins to fire; `first`: it was never in this incident before.
    pub fn begin(&mut self, title: &str, first: bool, now: Timestamp) {
        self.counts.firing += 1;
        self.counts.total += u64::from(first);
        self.clear_due = None;
        if first && self.sample.len() < limits::TALLY_SAMPLE_MAX {
            self.sample.push(title.to_owned());
        }
        self.want_log(now);
    }

    /// Counts an alert that ceases to fire. With none left the incident resolves by itself
    /// `resolve_after_ms` later.
    pub fn end(&mut self, resolve_after_ms: u64, now: Timestamp) {
        self.counts.firing = self.counts.firing.saturating_sub(1);
        if self.counts.firing == 0 {
            self.clear_due = Some(now.plus_ms(resolve_after_ms));
        }
        self.want_log(now);
    }

    /// Whether the stream should get the counts at `now`.
    #[must_use]
    pub fn is_log_due(&self, now: Timestamp) -> bool {
        self.log_due.is_some_and(|due| due <= now)
    }

    /// Notes that the stream got the counts.
    pub fn mark_logged(&mut self, now: Timestamp) {
        self.logged = self.counts;
        self.logged_at = now;
        self.logged_times = self.logged_times.saturating_add(1);
        self.log_due = None;
        self.sample.clear();
    }

    /// Notes that the incident is resolved: the stream got the counts with that, and nothing
    /// is due any more.
    pub fn mark_resolved(&mut self) {
        self.logged = self.counts;
        self.log_due = None;
        self.clear_due = None;
        self.sample.clear();
    }

    /// Whether the policy was asked about alerts of this label set, or about so many that it is
    /// not asked any more.
    #[must_use]
    pub fn knows_shape(&self, shape: &str) -> bool {
        self.shapes.len() >= limits::SHAPES_MAX || self.shapes.iter().any(|it| it == shape)
    }

    /// Notes that the policy was asked about alerts of this label set.
    pub fn note_shape(&mut self, shape: &str) {
        if !self.knows_shape(shape) {
            self.shapes.push(shape.to_owned());
        }
    }

    fn want_log(&mut self, now: Timestamp) {
        if self.counts == self.logged {
            self.log_due = None;
        } else if self.log_due.is_none() {
            self.log_due = Some(self.logged_at.plus_ms(self.interval_ms()).max(now));
        }
    }

    /// The rate at which a long storm writes history falls: every half minute at first, every
    /// ten minutes after twenty tallies.
    fn interval_ms(&self) -> u64 {
        if self.logged_times < limits::TALLIES_FAST_MAX {
            limits::TALLY_EVERY_MS
        } else {
            10 * MINUTE_MS
        }
    }
}

/// The incident of a key, while it is open or may reopen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRow {
    /// The incident.
    pub incident: IncidentId,
}

/// Alerts that wait for company under a key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// Row keys of distinct alerts, each with when it began to wait; at most
    /// [`WAIT_COUNT_MAX`](limits::WAIT_COUNT_MAX).
    pub members: Vec<(String, Timestamp)>,
}
