//! Signals with the time when their alert was last received.

use std::sync::Arc;

use tocsin_core::intake::Assessment;
use tocsin_core::{Alert, Signal, SignalStatus, Timestamp};

use crate::runtime::engine::request::Request;

/// A signal, and for the sweep's own signals when the alert was last received.
#[derive(Clone, Debug)]
pub struct Observed {
    pub signal: Arc<Signal>,
    /// When the alert was last received as far as the sweep knew; a later report takes precedence.
    pub last_seen: Option<Timestamp>,
}

impl Observed {
    /// A signal that is decided as it is.
    pub(crate) fn now(signal: Signal) -> Self {
        Self {
            signal: Arc::new(signal),
            last_seen: None,
        }
    }

    /// The sweep's signal that an alert is still firing.
    #[must_use]
    pub fn again(alert: &Alert) -> Self {
        Self {
            signal: Arc::new(alert.as_signal()),
            last_seen: Some(alert.last_seen),
        }
    }

    /// The sweep's signal that an alert is over.
    #[must_use]
    pub fn resolved(alert: &Alert) -> Self {
        let mut observed = Self::again(alert);
        Arc::make_mut(&mut observed.signal).status = SignalStatus::Resolved;
        observed
    }

    /// The sweep's signal that a dead man's switch has not been heard of.
    #[must_use]
    pub fn silent(alert: &Alert) -> Self {
        let mut observed = Self::again(alert);
        Arc::make_mut(&mut observed.signal).starts_at = alert.fires_at.unwrap_or(alert.last_seen);
        observed
    }

    /// The sweep's signal that a dead man's switch counts from now on, as the clock was set back.
    #[must_use]
    pub fn heard(alert: &Alert, now: Timestamp) -> Self {
        let mut observed = Self::resolved(alert);
        let span = alert.fires_at.map(|at| at.since(alert.last_seen));
        Arc::make_mut(&mut observed.signal).fires_at = span.map(|ms| now.plus_ms(ms));
        observed
    }

    /// The engine request.
    #[must_use]
    pub fn request(self, assessment: Option<Box<Assessment>>) -> Request {
        Request::Signal {
            signal: self.signal,
            assessment,
            unless_observed_since: self.last_seen,
        }
    }

    /// With a signal that fits into the store.
    pub(super) fn bounded(mut self) -> Self {
        let signal = Arc::unwrap_or_clone(self.signal);
        self.signal = Arc::new(signal.bounded().0);
        self
    }
}
