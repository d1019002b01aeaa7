//! Where an incident stands.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where an incident stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// People are at it.
    Open,
    /// The harm is stopped, the cause is not.
    Mitigated,
    /// The service is back.
    Resolved,
    /// Learned from, and put away.
    Closed,
}

impl Status {
    /// Whether people are at it: it was not resolved or closed.
    #[must_use]
    pub fn is_active(self) -> bool {
        matches!(self, Self::Open | Self::Mitigated)
    }

    /// The word that people use.
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
