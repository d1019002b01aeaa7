//! The responses of the Events API.

use serde::Serialize;

/// The body of a 202.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Accepted {
    /// `success`.
    pub status: &'static str,
    /// `Event processed`, or `Change event processed`.
    pub message: &'static str,
    /// The key for later acknowledge and resolve events; absent for a change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dedup_key: Option<String>,
}

impl Accepted {
    /// The response to an event.
    #[must_use]
    pub fn event(dedup_key: impl Into<String>) -> Self {
        Self {
            status: "success",
            message: "Event processed",
            dedup_key: Some(dedup_key.into()),
        }
    }

    /// The response to a change.
    #[must_use]
    pub fn change() -> Self {
        Self {
            status: "success",
            message: "Change event processed",
            dedup_key: None,
        }
    }
}

/// The body of a 400.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{message}: {}", errors.join("; "))]
pub struct InvalidEvent {
    /// `invalid event`, or `Unrecognized object` for a body that is not a JSON object.
    pub status: &'static str,
    /// The kind of fault.
    pub message: &'static str,
    /// All faults.
    pub errors: Vec<String>,
}

impl InvalidEvent {
    pub(super) fn unrecognized(error: impl Into<String>) -> Self {
        Self {
            status: "Unrecognized object",
            message: "Event object format is unrecognized",
            errors: vec![error.into()],
        }
    }

    pub(super) fn invalid(errors: Vec<String>) -> Self {
        Self {
            status: "invalid event",
            message: "Event object is invalid",
            errors,
        }
    }

    /// The response to an unknown routing key.
    #[must_use]
    pub fn unknown_routing_key() -> Self {
        Self::invalid(vec![
            "'routing_key' is not the key of a known integration".to_owned(),
        ])
    }
}
