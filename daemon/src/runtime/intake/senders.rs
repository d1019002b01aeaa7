//! What the configuration says about each sender, and what that adds to its signals.

use std::collections::BTreeMap;

use tocsin_core::{IntegrationId, Sender, Signal, SignalStatus, Timestamp};

use crate::runtime::intake::expected::Expectation;

/// What the configuration says about each integration's sender. One that is missing is usual.
pub type Senders = BTreeMap<IntegrationId, SenderRules>;

/// What the configuration says about a sender.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SenderRules {
    pub sender: Sender,
    /// An alert that it has not mentioned for so long is over, in milliseconds.
    pub resolve_after_silence_ms: Option<u64>,
    /// The alerts that it sends all the time, to show that it works.
    pub expected: Vec<Expectation>,
}

impl SenderRules {
    /// The signal with what its sender does not say. Of an expected alert, what it means: its dead
    /// man's switch is heard of, and it is no alert, also if it was one before it was expected.
    pub(super) fn complete(&self, mut signal: Signal, now: Timestamp) -> Vec<Signal> {
        signal.sender = self.sender;
        let is_firing = signal.status == SignalStatus::Firing;
        let mut heard: Vec<Signal> = Vec::new();
        if is_firing {
            let expected = self.expected.iter().filter(|it| it.matches(&signal.labels));
            heard.extend(expected.map(|it| it.heard(&signal.integration, now)));
        }
        if !heard.is_empty() {
            signal.status = SignalStatus::Resolved;
        } else if is_firing && signal.ends_at.is_none() {
            signal.ends_at = self.resolve_after_silence_ms.map(|it| now.plus_ms(it));
        }
        heard.push(signal);
        heard
    }
}
