//! How bad it is, and where it stands.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How bad an incident is. Ordered: `Minor < Major < Critical`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    /// Not normal, major features unaffected.
    Minor,
    /// A major feature is broken, no data lost.
    Major,
    /// Unreachable, or a major feature broken with data loss.
    Critical,
}

impl Grade {
    /// Every grade, least first.
    pub const ALL: [Self; 3] = [Self::Minor, Self::Major, Self::Critical];

    /// The word that people use: `minor`, `major`, `critical`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Minor => "minor",
            Self::Major => "major",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Grade {
    type Err = UnknownGrade;

    fn from_str(text: &str) -> Result<Self, UnknownGrade> {
        Self::ALL
            .into_iter()
            .find(|grade| grade.as_str() == text)
            .ok_or_else(|| UnknownGrade(text.to_owned()))
    }
}

/// A word that is no grade.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not a grade; use minor, major or critical")]
pub struct UnknownGrade(pub String);

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
    /// Every status, in the order that an incident goes through them.
    pub const ALL: [Self; 4] = [Self::Open, Self::Mitigated, Self::Resolved, Self::Closed];

    /// Whether people still work on the incident.
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

impl FromStr for Status {
    type Err = UnknownStatus;

    fn from_str(text: &str) -> Result<Self, UnknownStatus> {
        Self::ALL
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or_else(|| UnknownStatus(text.to_owned()))
    }
}

/// A word that is no status.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not a status; use open, mitigated, resolved or closed")]
pub struct UnknownStatus(pub String);
