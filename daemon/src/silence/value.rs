//! A silence: while it is active, alerts that it matches open no incidents and page nobody.

use std::fmt;

use serde::{Deserialize, Serialize};
use tocsin_core::{Labels, SilenceRef, Timestamp};

use super::matcher::{Matcher, matches_all};

/// Which alerts are silenced, when, by whom and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Silence {
    /// A UUID.
    pub id: String,
    /// All must match; between 1 and [`MATCHERS_MAX`](super::MATCHERS_MAX).
    pub matchers: Vec<Matcher>,
    pub starts_at: Timestamp,
    /// The end, exclusive.
    pub ends_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Who created it, as free text: Alertmanager's API has no accounts.
    pub created_by: String,
    pub comment: String,
    #[serde(default)]
    pub annotations: Labels,
}

/// What a silence has hidden so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hid {
    /// How many alerts it silenced. An alert that ends and fires again counts again.
    pub alerts: u64,
    /// How many times it paused the escalation of an incident.
    #[serde(default)]
    pub pauses: u64,
}

/// As in "1 alert, and paused 2 escalations".
impl fmt::Display for Hid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { alerts, pauses } = self;
        match alerts {
            1 => f.write_str("1 alert")?,
            alerts => write!(f, "{alerts} alerts")?,
        }
        match pauses {
            0 => Ok(()),
            1 => f.write_str(", and paused 1 escalation"),
            pauses => write!(f, ", and paused {pauses} escalations"),
        }
    }
}

/// The state of a silence at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SilenceState {
    Active,
    Pending,
    Expired,
}

impl SilenceState {
    /// The state's name in Alertmanager's API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Pending => "pending",
            Self::Expired => "expired",
        }
    }
}

impl Silence {
    #[must_use]
    pub fn state(&self, now: Timestamp) -> SilenceState {
        if now < self.starts_at {
            SilenceState::Pending
        } else if now < self.ends_at {
            SilenceState::Active
        } else {
            SilenceState::Expired
        }
    }

    /// Whether its matchers match, regardless of the time.
    #[must_use]
    pub fn matches(&self, labels: &Labels) -> bool {
        matches_all(&self.matchers, labels)
    }

    /// Whether it silences an alert with these labels now.
    #[must_use]
    pub fn silences(&self, labels: &Labels, now: Timestamp) -> bool {
        self.state(now) == SilenceState::Active && self.matches(labels)
    }

    /// Whether `changed` may replace this silence under the same ID. If not, this one expires and
    /// `changed` becomes a new one, so that the record of what was silenced is kept.
    #[must_use]
    pub fn can_become(&self, changed: &Self, now: Timestamp) -> bool {
        if self.matchers != changed.matchers {
            return false;
        }
        match self.state(now) {
            SilenceState::Active => changed.starts_at == self.starts_at && changed.ends_at >= now,
            SilenceState::Pending => changed.starts_at >= now,
            SilenceState::Expired => false,
        }
    }

    /// How incidents name it.
    #[must_use]
    pub fn reference(&self) -> SilenceRef {
        SilenceRef::new(&self.id, &self.created_by, &self.comment)
    }

    /// The silence, expired now; `None` if it has already expired.
    #[must_use]
    pub fn expired(&self, now: Timestamp) -> Option<Self> {
        let state = self.state(now);
        (state != SilenceState::Expired).then(|| Self {
            starts_at: self.starts_at.min(now),
            ends_at: now,
            updated_at: now,
            ..self.clone()
        })
    }
}
