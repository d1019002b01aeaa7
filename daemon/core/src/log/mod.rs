//! The incident's log: the lines that people write, and what the incident is called elsewhere.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::command::{Outcome, Refusal};
use crate::consequences::Notice;
use crate::event::{Event, Recorded};
use crate::text::bounded;
use crate::{PluginId, limits};

/// What kind of line in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogKind {
    /// What was seen.
    Seen,
    /// What was decided.
    Decided,
    /// What was done.
    Done,
    /// Anything else.
    Note,
}

impl LogKind {
    /// Every kind.
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

pub(crate) fn write(kind: LogKind, body: String) -> Result<Outcome, Refusal> {
    let body = bounded("log entry", body, limits::LOG_BODY_BYTES_MAX)?;
    Ok(Outcome::of(vec![Event::Logged { kind, body }]))
}

/// The references after an event: one of each kind a plugin.
pub(crate) fn fold(refs: &mut Vec<Ref>, event: &Event) {
    let Event::Linked(link) = event else { return };
    refs.retain(|it| !(it.plugin == link.plugin && it.kind == link.kind));
    if refs.len() < limits::REFS_MAX {
        refs.push(link.clone());
    }
}

pub(crate) fn notice(event: &Event, version: u64) -> Option<Notice> {
    matches!(event, Event::Logged { .. }).then_some(Notice::LogAdded { version })
}

pub(crate) fn narrate(recorded: &Recorded) -> Option<String> {
    let by = &recorded.by;
    match &recorded.event {
        Event::Logged { kind, body } => Some(format!("{by} {} {body}", verb(*kind))),
        Event::Linked(link) => {
            let place = link.url.as_ref().unwrap_or(&link.id);
            Some(format!("{} {} is {place}", link.plugin, link.kind))
        }
        _ => None,
    }
}

fn verb(kind: LogKind) -> &'static str {
    match kind {
        LogKind::Seen => "saw:",
        LogKind::Decided => "decided:",
        LogKind::Done => "did:",
        LogKind::Note => "notes:",
    }
}
