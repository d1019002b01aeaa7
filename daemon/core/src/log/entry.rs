//! What a line of the log and a reference are.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::PluginId;

/// What kind of line in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogKind {
    Seen,
    Decided,
    Done,
    /// Anything else.
    Note,
}

impl LogKind {
    pub const ALL: [Self; 4] = [Self::Seen, Self::Decided, Self::Done, Self::Note];

    /// The word that people use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Seen => "seen",
            Self::Decided => "decided",
            Self::Done => "done",
            Self::Note => "note",
        }
    }
}

impl FromStr for LogKind {
    type Err = UnknownLogKind;

    fn from_str(text: &str) -> Result<Self, UnknownLogKind> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| UnknownLogKind(text.to_owned()))
    }
}

/// A word that is no kind of log entry.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not a kind of log entry; use seen, decided, done or note")]
pub struct UnknownLogKind(pub String);

/// What an incident is called elsewhere: a Slack channel, an issue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ref {
    /// Whose name for it.
    pub plugin: PluginId,
    /// What it is there, e.g. `channel`.
    pub kind: String,
    /// Its id there.
    pub id: String,
    /// Where a person finds it.
    #[serde(default)]
    pub url: Option<String>,
}
