//! Who is told about an incident besides the engineers in its war room.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Who an update is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Audience {
    /// All engineers.
    Engineering,
    /// Everybody in the company.
    Company,
    /// Customers and everybody else.
    Public,
}

impl Audience {
    pub const ALL: [Self; 3] = [Self::Engineering, Self::Company, Self::Public];

    /// As written in text and in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Engineering => "engineering",
            Self::Company => "company",
            Self::Public => "public",
        }
    }
}

impl fmt::Display for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Audience {
    type Err = UnknownAudience;

    fn from_str(text: &str) -> Result<Self, UnknownAudience> {
        let is_it = |it: &Self| it.as_str().eq_ignore_ascii_case(text);
        let audience = Self::ALL.into_iter().find(is_it);
        audience.ok_or_else(|| UnknownAudience(text.to_owned()))
    }
}

/// A string that is not an audience.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not an audience; use engineering, company or public")]
pub struct UnknownAudience(pub String);
