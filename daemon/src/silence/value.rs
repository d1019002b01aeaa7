//! A silence: while it is active, an alert that it matches opens nothing and pages nobody.

use serde::{Deserialize, Serialize};
use tocsin_core::{Labels, Timestamp};

use super::matcher::{Matcher, matches_all};

/// Which alerts are muted, from when to when, by whom and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Silence {
    /// A UUID in text form, made by the shell.
    pub id: String,
    /// All must match; between 1 and [`MATCHERS_MAX`](super::MATCHERS_MAX).
    pub matchers: Vec<Matcher>,
    pub starts_at: Timestamp,
    /// Until when; this instant is outside.
    pub ends_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Who made it, in their own words: Alertmanager's API knows no accounts.
    pub created_by: String,
    pub comment: String,
    #[serde(default)]
    pub annotations: Labels,
}

/// Whether a silence mutes at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SilenceState {
    Active,
    Pending,
    Expired,
}

impl SilenceState {
    /// Its name in Alertmanager's API.
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

    /// Whether its matchers match, whatever the time.
    #[must_use]
    pub fn matches(&self, labels: &Labels) -> bool {
        matches_all(&self.matchers, labels)
    }

    /// Whether it silences an alert with these labels now.
    #[must_use]
    pub fn silences(&self, labels: &Labels, now: Timestamp) -> bool {
        self.state(now) == SilenceState::Active && self.matches(labels)
    }

    /// Whether `changed` may take this silence's place under the same id. If not, this one expires
    /// and `changed` becomes a new one, so that what was silenced in the past stays readable.
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

    /// The silence as it is when it ends now; none when it has ended already.
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
