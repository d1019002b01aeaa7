//! Log entry kinds, and references to other systems.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{PluginId, Timestamp};

/// The kind of a log entry.
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

    /// As written in text and in JSON.
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

/// A string that is not a kind of log entry.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not a kind of log entry; use seen, decided, done or note")]
pub struct UnknownLogKind(pub String);

/// An entry for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogDraft {
    pub kind: LogKind,
    pub body: String,
    pub written: Written,
}

impl LogDraft {
    /// An entry that somebody writes now.
    #[must_use]
    pub fn of(kind: LogKind, body: String) -> Self {
        Self {
            kind,
            body,
            written: Written::default(),
        }
    }
}

/// How an entry was written, if not as a command.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// When, if that was before it was added to the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// Who wrote it, if somebody else added it to the log: a person's ID, or their ID in a chat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// Where it can be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

impl Written {
    #[must_use]
    pub fn is_command(&self) -> bool {
        *self == Self::default()
    }
}

/// An incident's counterpart in another system: a Slack channel, an issue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ref {
    /// The plugin that created it.
    pub plugin: PluginId,
    /// E.g. `channel`.
    pub kind: String,
    /// In the other system.
    pub id: String,
    /// Where people can open it.
    #[serde(default)]
    pub url: Option<String>,
}
