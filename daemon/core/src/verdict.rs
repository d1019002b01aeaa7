//! The results of policies. A verdict includes its reason and its policy, and is stored in the
//! event it led to, so that a replay never runs a script.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The result of a policy, with its reason and source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict<T> {
    pub value: T,
    /// Text for the log; at most
    /// [`REASON_BYTES_MAX`](crate::limits::REASON_BYTES_MAX).
    pub reason: String,
    /// The policy that returned it.
    pub source: PolicySource,
}

impl<T> Verdict<T> {
    /// Records the position in the store's feed up to which the incident that the policy saw was
    /// current.
    #[must_use]
    pub fn read_at(mut self, position: u64) -> Self {
        self.source.read_at = Some(position);
        self
    }
}

/// The policy that returned a verdict, and its input.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PolicySource {
    /// The file, relative to the policies folder; `builtin` when no policy succeeded.
    pub file: String,
    /// The line that returned it, from 1, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// BLAKE3 of the file's text in hex, first 16 digits; empty for `builtin`.
    pub hash: String,
    /// What the policy read, as pairs of an expression and its answer, at most
    /// [`VERDICT_INPUT_BYTES_MAX`](crate::limits::VERDICT_INPUT_BYTES_MAX) as JSON. Events of
    /// earlier versions have the whole input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<Arc<serde_json::Value>>,
    /// The position in the store's feed up to which the incident that it saw was current.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_at: Option<u64>,
    /// Why no policy succeeded and the built-in verdict applies: the report, with
    /// `file:line:column` and the remedy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<String>,
}

impl PolicySource {
    /// The file of a verdict that no policy returned.
    pub const BUILTIN: &str = "builtin";

    /// The file and the line, such as `routing.rhai:84`.
    #[must_use]
    pub fn place(&self) -> String {
        match self.line {
            Some(line) => format!("{}:{line}", self.file),
            None => self.file.clone(),
        }
    }

    /// The end of a log line: which policy decided and its reason. The reason of a built-in verdict
    /// says that there was no policy, or that it failed; then what stopped it follows.
    #[must_use]
    pub(crate) fn because(&self, reason: &str) -> String {
        if self.file != Self::BUILTIN {
            return format!(" by {}: {reason}", self.place());
        }
        let failure = self.fallback.as_deref().and_then(|it| it.lines().next());
        let failure = failure.map_or_else(String::new, |it| format!(": {it}"));
        format!(": {reason}{failure}")
    }
}
