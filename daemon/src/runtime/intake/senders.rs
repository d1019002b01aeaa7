//! What is known about each sender, and what that adds to its signals.

use std::collections::BTreeMap;

use tocsin_core::{IntegrationId, Sender, Signal, SignalStatus, Timestamp};

/// What the configuration says about each integration's sender. One that is missing is usual.
pub type Senders = BTreeMap<IntegrationId, SenderRules>;

/// What the configuration says about a sender.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SenderRules {
    pub sender: Sender,
    /// An alert that it has not mentioned for so long is over, in milliseconds.
    pub resolve_after_silence_ms: Option<u64>,
}

impl SenderRules {
    /// The signal with what its sender does not say.
    pub(super) fn complete(&self, mut signal: Signal, now: Timestamp) -> Signal {
        signal.sender = self.sender;
        if signal.status == SignalStatus::Firing && signal.ends_at.is_none() {
            signal.ends_at = self.resolve_after_silence_ms.map(|it| now.plus_ms(it));
        }
        signal
    }
}
