//! The status of an incident.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The phase of an incident's lifecycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// People are responding.
    Open,
    /// Impact is mitigated, but the cause is not fixed.
    Mitigated,
    /// Service is restored.
    Resolved,
    /// No work is left.
    Closed,
}

impl Status {
    /// In the order in which an incident passes through them.
    pub const ALL: [Self; 4] = [Self::Open, Self::Mitigated, Self::Resolved, Self::Closed];

    /// Whether it is neither resolved nor closed.
    #[must_use]
    pub fn is_active(self) -> bool {
        matches!(self, Self::Open | Self::Mitigated)
    }

    /// Whether it is closed, so that nothing of it changes any more.
    #[must_use]
    pub fn is_final(self) -> bool {
        self == Self::Closed
    }

    /// As written in text and in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Mitigated => "mitigated",
            Self::Resolved => "resolved",
            Self::Closed => "closed",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Status {
    type Err = UnknownStatus;

    fn from_str(text: &str) -> Result<Self, UnknownStatus> {
        let is_it = |status: &Self| status.as_str() == text;
        let found = Self::ALL.into_iter().find(is_it);
        found.ok_or_else(|| UnknownStatus(text.to_owned()))
    }
}

/// A string that is not a status.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not a status; use open, mitigated, resolved or closed")]
pub struct UnknownStatus(pub String);
