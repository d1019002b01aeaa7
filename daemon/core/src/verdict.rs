//! What policies answer. A verdict comes with its reason and with the policy that gave it, and
//! is stored in the event it led to, so that a replay never runs a script.

use serde::{Deserialize, Serialize};

/// An answer of a policy, why, and whose.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict<T> {
    pub value: T,
    /// Why, in words for the log; at most
    /// [`REASON_BYTES_MAX`](crate::limits::REASON_BYTES_MAX).
    pub reason: String,
    /// The policy that gave it.
    pub source: PolicySource,
}

/// Which policy gave a verdict, and from what.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PolicySource {
    /// The file, relative to the policies' folder; `builtin` when no policy answered.
    pub file: String,
    /// BLAKE3 of the file's text in hex, first 16 digits; empty for `builtin`.
    pub hash: String,
    /// What it was asked, as JSON, cut to
    /// [`VERDICT_INPUT_BYTES_MAX`](crate::limits::VERDICT_INPUT_BYTES_MAX) with every value cut
    /// before any key is lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<serde_json::Value>,
    /// The position of the store's feed that the incident which it was shown is not older than.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_at: Option<u64>,
    /// Why no policy answered and the built-in verdict stands: the report, with
    /// `file:line:column` and the remedy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<String>,
}
