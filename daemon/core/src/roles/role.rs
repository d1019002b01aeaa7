//! The roles that people can have in an incident.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{PersonId, Timestamp};

/// A role in an incident. One person has it at a time.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Leads the response and carries it out.
    #[default]
    Operator,
    /// Tells everybody else how it goes, and keeps the log.
    Spokesperson,
    /// Leads the response of an incident that is too large for its operator to lead as well.
    Commander,
    /// Learns from the operator or helps a less experienced one.
    Shadow,
}

impl Role {
    pub const ALL: [Self; 4] = [
        Self::Operator,
        Self::Spokesperson,
        Self::Commander,
        Self::Shadow,
    ];

    /// As written in text and in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Spokesperson => "spokesperson",
            Self::Commander => "commander",
            Self::Shadow => "shadow",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        let is_it = |role: &Self| role.as_str().eq_ignore_ascii_case(text);
        let role = Self::ALL.into_iter().find(is_it);
        role.ok_or_else(|| UnknownRole(text.to_owned()))
    }
}

/// Why somebody does not take a role that was offered to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Declined {
    Refused,
    /// They did not answer in time.
    Silent,
    /// No channel took the question.
    Unreached,
}

/// The end of a shift of whoever operates an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShiftEnd {
    pub person: PersonId,
    pub rotation: String,
    pub at: Timestamp,
    /// Who is on call from then on.
    pub next: PersonId,
}

/// A string that is not a role.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not a role; use operator, spokesperson, commander or shadow")]
pub struct UnknownRole(pub String);
