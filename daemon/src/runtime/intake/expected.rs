//! Alerts that a sender is expected to send all the time, such as Prometheus' `Watchdog`, to show
//! that alerts arrive. Each has a dead man's switch: an alert of its own, which fires when the
//! expected one has not been received for a while.

use tocsin_core::time::{MINUTE_MS, in_words};
use tocsin_core::{
    Alert, Fingerprint, IntegrationId, Labels, Sender, Signal, SignalStatus, Timestamp,
};

/// How much later than expected an alert may come, in milliseconds: senders are not punctual.
pub const LATE_MS_MAX: u64 = MINUTE_MS;
/// Prefix of the switches' fingerprints.
const PREFIX: &str = "silent:";
/// What every key of a switch's row contains.
pub(crate) const SWITCH_KEY_PART: &str = "/silent:";
/// The switches' `alertname`. Routing policies often ignore `Watchdog` and `DeadMansSwitch`, as
/// those mean that all is well.
const ALERTNAME: &str = "SenderSilent";

/// An alert that a sender is expected to send at least once in a while.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    /// The labels by which it is recognized; it may have more.
    pub labels: Labels,
    /// How often it is sent at least, in milliseconds.
    pub every_ms: u64,
}

impl Expectation {
    pub(super) fn matches(&self, labels: &Labels) -> bool {
        let mut own = self.labels.iter();
        own.all(|(name, value)| labels.get(name) == Some(value))
    }

    /// The row key of its switch.
    pub(crate) fn key(&self, integration: &IntegrationId) -> String {
        Alert::row_key(integration, &self.fingerprint())
    }

    /// The signal that its switch is heard of.
    pub(crate) fn heard(&self, integration: &IntegrationId, now: Timestamp) -> Signal {
        let name = self.name();
        let every = in_words(self.every_ms);
        Signal {
            integration: integration.clone(),
            fingerprint: self.fingerprint(),
            status: SignalStatus::Resolved,
            title: format!("{name} of {integration} has fallen silent"),
            summary: format!(
                "{integration} is expected to send {name} every {every}. It may be down, or its \
                 alerts may no longer arrive here."
            ),
            labels: self.switch_labels(integration),
            annotations: Labels::new(),
            starts_at: now,
            ends_at: None,
            link: None,
            sender: Sender::default(),
            fires_at: Some(now.plus_ms(self.every_ms + LATE_MS_MAX)),
        }
    }

    /// Its `alertname`, or else its labels.
    fn name(&self) -> String {
        let name = self.labels.get("alertname");
        name.cloned().unwrap_or_else(|| self.pairs())
    }

    fn fingerprint(&self) -> Fingerprint {
        Fingerprint(format!("{PREFIX}{}", self.pairs()))
    }

    fn pairs(&self) -> String {
        let labels = self.labels.iter();
        let pairs: Vec<_> = labels.map(|(name, it)| format!("{name}={it}")).collect();
        pairs.join(",")
    }

    /// The expected alert's own, and what makes policies page somebody.
    fn switch_labels(&self, integration: &IntegrationId) -> Labels {
        let mut labels = self.labels.clone();
        labels
            .entry("service".to_owned())
            .or_insert_with(|| integration.to_string());
        for (name, value) in [
            ("alertname", ALERTNAME.to_owned()),
            ("expected", self.name()),
            ("severity", "critical".to_owned()),
        ] {
            labels.insert(name.to_owned(), value);
        }
        labels
    }
}
