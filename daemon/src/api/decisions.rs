//! What policies decided, and why.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tocsin_core::PolicySource;
use utoipa::ToSchema;

/// What was decided about an incident, in order; empty without clearance for a security incident.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct DecisionList {
    pub(crate) decisions: Vec<DecisionLine>,
}

/// Something that a policy decided, or a person in its place.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct DecisionLine {
    pub(crate) at: String,
    /// Who did what led to it.
    pub(crate) by: String,
    /// `route`, `grade`, `plan`, `cadence` or `respond`; `failure` for a policy that failed.
    pub(crate) about: String,
    /// The decision in one line.
    pub(crate) answer: String,
    pub(crate) reason: String,
    /// The policy; null when a person decided.
    pub(crate) policy: Option<PolicyLine>,
}

/// The policy that decided something.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct PolicyLine {
    /// The file in the policies' folder; `builtin` when no policy succeeded.
    pub(crate) file: String,
    /// The line that returned the answer.
    pub(crate) line: Option<u32>,
    /// BLAKE3 of the file's text in hex, first 16 digits; empty for `builtin`.
    pub(crate) hash: String,
    /// Why no policy succeeded, so that the built-in answer applies.
    pub(crate) failure: Option<String>,
    /// What it read, as pairs of an expression and what it found.
    #[schema(value_type = Vec<Vec<Value>>)]
    pub(crate) read: Vec<(String, Value)>,
}

impl PolicyLine {
    /// What is known of a verdict's source.
    pub(crate) fn of(source: &PolicySource) -> Self {
        let read = source.input.as_deref().and_then(Value::as_array);
        let pair = |it: &Value| Some((it.get(0)?.as_str()?.to_owned(), it.get(1)?.clone()));
        Self {
            file: source.file.clone(),
            line: source.line,
            hash: source.hash.clone(),
            failure: source.fallback.clone(),
            read: read.into_iter().flatten().filter_map(pair).collect(),
        }
    }

    /// The file and the line, such as `routing.rhai:84`.
    pub(crate) fn place(&self) -> String {
        match self.line {
            Some(line) => format!("{}:{line}", self.file),
            None => self.file.clone(),
        }
    }
}
