//! Parses what senders post into [`Signal`]s: one adapter per format.
//!
//! Adapters are pure functions: no IO, no clock (the time of receipt is a parameter) and no state.
//! So one bad alert in a batch does not affect the others, and each format's quirks (a zero
//! `endsAt`, a missing key) are handled in one place.
//!
//! Every adapter returns [`Parsed`]: the signals, what it rejected and why, and notes on what it
//! truncated. Only a body without any recognizable alert is [`Malformed`].

pub mod alertmanager;
pub mod alertmanager_api;
mod batch;
pub mod cloudwatch;
mod fields;
mod fingerprint;
pub mod generic;
pub mod grafana;
pub mod pagerduty;
pub mod parsers;
pub mod sentry;
pub mod sns;
pub mod uptime_kuma;

use tocsin_core::{Fingerprint, IntegrationId, Labels, Sender, Signal, SignalStatus, Timestamp};

pub use fingerprint::label_fingerprint;

use crate::config::{IntegrationKind, Mapping};

/// Most alerts in one request; of a larger batch, the first ones are read and the rest is noted.
/// The batch is not refused as a whole, because Alertmanager does not retry refused requests.
pub const ALERTS_PER_REQUEST_MAX: usize = 10_000;
/// Largest body that an adapter reads, in bytes, after decompression: the largest value of
/// `[server] body-bytes-max`, which the endpoint enforces.
pub const BODY_BYTES_MAX: usize = crate::config::BODY_BYTES_CEILING;
/// Most notes on one request; the last one says that more were left out.
pub const NOTES_MAX: usize = 100;
/// Longest link, in bytes; a longer one is left out.
pub const LINK_BYTES_MAX: usize = 2_048;
/// How long an alert without an end counts as firing after it was last received, in milliseconds,
/// like Alertmanager's `resolve_timeout`.
pub const RESOLVE_TIMEOUT_MS: u64 = 5 * tocsin_core::time::MINUTE_MS;

/// The context of a request.
#[derive(Clone, Debug)]
pub struct Received {
    /// The integration that authenticated.
    pub integration: IntegrationId,
    /// When the body was complete.
    pub received_at: Timestamp,
    /// A unique value, which identifies an alert without an identifier of its own.
    pub request_id: String,
    /// The lease of an alert without an end, in milliseconds.
    pub resolve_timeout_ms: u64,
}

impl Received {
    /// A request with the default [`RESOLVE_TIMEOUT_MS`].
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

    /// A signal that says nothing else: it begins, or ends if it is resolved, when it is received.
    fn signal(&self, fingerprint: Fingerprint, status: SignalStatus, title: String) -> Signal {
        Signal {
            integration: self.integration.clone(),
            fingerprint,
            status,
            title,
            summary: String::new(),
            labels: Labels::new(),
            annotations: Labels::new(),
            starts_at: self.received_at,
            ends_at: (status == SignalStatus::Resolved).then_some(self.received_at),
            link: None,
            sender: Sender::default(),
            fires_at: None,
        }
    }
}

/// Parses a body in the format of an integration's kind; `None` for a kind that has an API of its
/// own instead of `/ingest/ID`.
#[must_use]
pub fn parse(
    kind: IntegrationKind,
    mapping: Option<&Mapping>,
    body: &[u8],
    ctx: &Received,
) -> Option<Result<Parsed, Malformed>> {
    Some(match kind {
        IntegrationKind::Alertmanager => alertmanager::parse(body, ctx),
        IntegrationKind::Grafana => grafana::parse(body, ctx),
        IntegrationKind::Sentry => sentry::parse(body, ctx),
        IntegrationKind::Cloudwatch => Ok(cloudwatch::parse(body, ctx)),
        IntegrationKind::UptimeKuma => uptime_kuma::parse(body, ctx),
        IntegrationKind::Generic => {
            let usual = Mapping::default();
            generic::parse(body, mapping.unwrap_or(&usual), ctx)
        }
        IntegrationKind::AlertmanagerApi | IntegrationKind::Pagerduty => return None,
    })
}

/// The result of parsing a body.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parsed {
    /// The valid alerts, in the order of the body.
    pub signals: Vec<Signal>,
    /// The alerts that could not be read, in the order of the body.
    pub rejected: Vec<Rejected>,
    /// What was truncated or left out of valid alerts, at most [`NOTES_MAX`].
    pub notes: Vec<Note>,
}

/// One alert that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Rejected {
    /// The alert's position in the batch, from 0.
    pub index: usize,
    /// Where the fault is, as a JSON pointer (RFC 6901) into the body.
    pub pointer: String,
    /// What is wrong, and what is valid.
    pub message: String,
}

/// Something that was truncated, left out or guessed in an accepted alert.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Note {
    /// The alert's position in the batch, from 0; absent when the note is on the whole body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<usize>,
    /// Where, as a JSON pointer (RFC 6901) into the body.
    pub pointer: String,
    /// What was done.
    pub message: String,
}

/// A body without any recognizable alert.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{title}: {detail}")]
pub struct Malformed {
    /// The kind of fault.
    pub title: &'static str,
    /// What is wrong, and what is valid.
    pub detail: String,
    /// Where, as a JSON pointer (RFC 6901) into the body, if known.
    pub pointer: Option<String>,
}

#[cfg(test)]
mod tests;
