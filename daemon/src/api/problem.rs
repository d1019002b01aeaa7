//! Problem details (RFC 9457), the body of error responses.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What went wrong, and how to fix it.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct ProblemDetails {
    /// `urn:tocsin:problem:…`.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) title: String,
    pub(crate) status: u16,
    pub(crate) detail: String,
    /// Members specific to the problem, such as `incident_status`.
    #[serde(flatten)]
    pub(crate) more: Map<String, Value>,
}
