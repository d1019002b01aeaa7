//! Dead man's switches: each expectation of the configuration has one, which counts from the start
//! if it was never heard of, and from when somebody ended it. One whose expectation is gone ends.

use std::collections::BTreeSet;

use tocsin_core::{Alert, Signal, SignalStatus};

use crate::runtime::due::Due;
use crate::runtime::error::EngineError;
use crate::runtime::intake::Observed;
use crate::runtime::intake::expected::SWITCH_KEY_PART;

impl Due {
    /// Sets what is missing and ends what is too much.
    ///
    /// # Errors
    /// [`EngineError`] when the store or the engine fails.
    pub async fn arm_switches(&self) -> Result<(), EngineError> {
        let now = self.clock.now();
        let mut signals = Vec::new();
        let mut wanted = BTreeSet::new();
        for (integration, rules) in self.intake.senders() {
            for expectation in &rules.expected {
                let key = expectation.key(integration);
                let alert = self.view.alert(&key)?;
                let is_set = |it: Alert| it.firing || it.fires_at.is_some();
                if !alert.is_some_and(is_set) {
                    signals.push(expectation.heard(integration, now));
                }
                wanted.insert(key);
            }
        }
        for key in self.leases.unleased_with(SWITCH_KEY_PART) {
            if !wanted.contains(&key)
                && let Some(alert) = self.view.alert(&key)?
            {
                let status = SignalStatus::Resolved;
                signals.push(Signal {
                    status,
                    ..alert.as_signal()
                });
            }
        }
        if !signals.is_empty() {
            let signals = signals.into_iter().map(Observed::now);
            self.intake.take_observed(signals.collect()).await?;
        }
        Ok(())
    }
}
