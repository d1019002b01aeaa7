//! What senders post, as [`Signal`]s: one adapter per format.
//!
//! An adapter decides nothing and does nothing: no IO, no clock (the time of receipt comes in as
//! a value), no look at what is known already. This prevents two failures of alert gateways: that
//! one odd alert in a batch loses the page for its neighbours, and that a format's quirk (a zero
//! `endsAt`, a missing key) is understood differently in two places.
//!
//! Every adapter answers with [`Parsed`]: the signals, what it refused and why, and notes on what
//! it cut. Only a body in which nothing can be found at all is [`Malformed`].

pub mod alertmanager;
pub mod alertmanager_api;
mod batch;
pub mod entry;
mod fields;
mod fingerprint;
pub mod generic;
pub mod grafana;
pub mod pagerduty;

use tocsin_core::{IntegrationId, Signal, Timestamp};

pub use fingerprint::label_fingerprint;

/// Most alerts in one request; of a larger batch the first are read and the others noted. Refused
/// as a whole it would open nothing, and an Alertmanager never sends again what was refused.
pub const ALERTS_PER_REQUEST_MAX: usize = 10_000;
/// Largest body that an adapter reads, in bytes, after decompression: the most that
/// `[server] body-bytes-max` allows, which the endpoint enforces.
pub const BODY_BYTES_MAX: usize = crate::config::BODY_BYTES_CEILING;
/// Most notes kept of one request; further ones are counted in the last.
pub const NOTES_MAX: usize = 100;
/// Longest link, in bytes; a longer one is left out, as half a link leads nowhere.
pub const LINK_BYTES_MAX: usize = 2_048;
/// How long an alert without an end counts as firing after it was last sent, in milliseconds, as
/// Alertmanager's `resolve_timeout`.
pub const RESOLVE_TIMEOUT_MS: u64 = 5 * tocsin_core::time::MINUTE_MS;

/// What the daemon knows of a request besides its body.
#[derive(Clone, Debug)]
pub struct Received {
    /// The integration that authenticated.
    pub integration: IntegrationId,
    /// When the body was complete.
    pub received_at: Timestamp,
    /// A value that no other request has; it names an alert whose sender gave it no name.
    pub request_id: String,
    /// The lease of an alert without an end, in milliseconds.
    pub resolve_timeout_ms: u64,
}

impl Received {
    /// A request with the usual [`RESOLVE_TIMEOUT_MS`].
    pub fn new(
        integration: impl Into<IntegrationId>,
        received_at: Timestamp,
        request_id: impl Into<String>,
    ) -> Self {
        Self {
            integration: integration.into(),
            received_at,
            request_id: request_id.into(),
            resolve_timeout_ms: RESOLVE_TIMEOUT_MS,
        }
    }
}

/// What one body said.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parsed {
    /// The good ones, in the order of the body.
    pub signals: Vec<Signal>,
    /// The bad ones, in the order of the body.
    pub rejected: Vec<Rejected>,
    /// What was cut or left out of good ones, at most [`NOTES_MAX`].
    pub notes: Vec<Note>,
}

/// One alert that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Rejected {
    /// Its place in the batch, from 0.
    pub index: usize,
    /// Where the fault is, as a JSON pointer (RFC 6901) into the body.
    pub pointer: String,
    /// What is wrong and what would be right.
    pub message: String,
}

/// Something that was cut, left out or guessed in an accepted alert.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Note {
    /// The alert's place in the batch, from 0; none when it is about the whole body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<usize>,
    /// Where, as a JSON pointer (RFC 6901) into the body.
    pub pointer: String,
    /// What was done.
    pub message: String,
}

/// A body in which no alert can be found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{title}: {detail}")]
pub struct Malformed {
    /// The kind of fault; the same text for the same kind.
    pub title: &'static str,
    /// What is wrong here and what would be right.
    pub detail: String,
    /// Where, as a JSON pointer (RFC 6901) into the body, when there is a place.
    pub pointer: Option<String>,
}

#[cfg(test)]
mod tests;
