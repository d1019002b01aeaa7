//! A signal is one message from a sender about one alert, in the daemon's own format. Adapters
//! parse bytes into signals and decide nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::text::{cut, escaped_bytes};
use crate::{Fingerprint, IntegrationId, Timestamp, limits};

/// Names and values that a sender attached.
pub type Labels = BTreeMap<String, String>;

/// The state of an alert according to its sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SignalStatus {
    /// The problem exists now.
    Firing,
    /// Somebody acknowledged it in the sender's own system (PagerDuty's `acknowledge`).
    Acknowledged,
    /// The problem is over.
    Resolved,
}

/// One message from a sender about one alert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Signal {
    /// The integration that authenticated.
    pub integration: IntegrationId,
    /// The alert's identity within the integration.
    pub fingerprint: Fingerprint,
    pub status: SignalStatus,
    /// One line for people, at most [`TITLE_BYTES_MAX`](crate::limits::TITLE_BYTES_MAX).
    pub title: String,
    /// More for people, at most [`SUMMARY_BYTES_MAX`](crate::limits::SUMMARY_BYTES_MAX).
    #[serde(default)]
    pub summary: String,
    /// Used by policies to route and grade.
    pub labels: Labels,
    /// For people.
    #[serde(default)]
    pub annotations: Labels,
    /// Since when it fires, according to the sender.
    pub starts_at: Timestamp,
    /// When it ends or ended. For a firing alert this is a lease: without a repeat before it,
    /// the alert counts as resolved. None: it fires until the sender resolves it.
    #[serde(default)]
    pub ends_at: Option<Timestamp>,
    /// A URL with more information.
    #[serde(default)]
    pub link: Option<String>,
    /// How its sender reports alerts.
    #[serde(default)]
    pub sender: Sender,
    /// For a dead man's switch, whose status is then resolved: when it fires unless it is heard of
    /// again.
    #[serde(default)]
    pub fires_at: Option<Timestamp>,
}

/// How a sender reports its alerts, according to the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sender {
    /// Whether it repeats an alert for as long as it fires.
    pub repeats: bool,
    /// Whether it says when an alert is over.
    pub resolves: bool,
}

/// As Alertmanager.
impl Default for Sender {
    fn default() -> Self {
        Self {
            repeats: true,
            resolves: true,
        }
    }
}

impl Sender {
    /// Whether a person who resolves an incident also ends this sender's alerts in it: it may never
    /// mention them again.
    #[must_use]
    pub fn ends_when_resolved(self) -> bool {
        !(self.repeats && self.resolves)
    }
}

impl Signal {
    /// The signal truncated to its limits on labels, text lengths and total bytes, annotations
    /// before labels, and whether anything was cut. Its fingerprint, and so its identity, is
    /// unchanged.
    #[must_use]
    pub fn bounded(mut self) -> (Self, bool) {
        if self.fits() {
            return (self, false);
        }
        let before = self.clone();
        self.title = cut(self.title, limits::TITLE_BYTES_MAX);
        self.summary = cut(self.summary, limits::SUMMARY_BYTES_MAX);
        self.link = self
            .link
            .filter(|it| it.len() <= limits::LABEL_VALUE_BYTES_MAX);
        let used = escaped_bytes(&self.title) + escaped_bytes(&self.summary);
        let mut left = limits::SIGNAL_BYTES_MAX.saturating_sub(used);
        self.labels = bounded_labels(self.labels, &mut left);
        self.annotations = bounded_labels(self.annotations, &mut left);
        let is_cut = self != before;
        (self, is_cut)
    }

    /// Whether nothing needs to be cut: the usual case, so it must be cheap.
    fn fits(&self) -> bool {
        let pairs = || self.labels.iter().chain(&self.annotations);
        let texts = pairs().flat_map(|(name, value)| [name, value]);
        let texts = texts.chain([&self.title, &self.summary]);
        let link = self.link.as_ref().map_or(0, String::len);
        self.labels.len() <= limits::LABELS_MAX
            && self.annotations.len() <= limits::LABELS_MAX
            && self.title.len() <= limits::TITLE_BYTES_MAX
            && self.summary.len() <= limits::SUMMARY_BYTES_MAX
            && link <= limits::LABEL_VALUE_BYTES_MAX
            && pairs().all(|(name, value)| {
                name.len() <= limits::LABEL_NAME_BYTES_MAX
                    && value.len() <= limits::LABEL_VALUE_BYTES_MAX
            })
            && texts.map(|it| escaped_bytes(it)).sum::<usize>() <= limits::SIGNAL_BYTES_MAX
    }
}

/// The labels that fit into `left` bytes, each cut to its own limit. The shortest are kept: long
/// ones are texts, while policies route and grade by a few words.
fn bounded_labels(labels: Labels, left: &mut usize) -> Labels {
    let mut kept = Labels::new();
    let mut labels: Vec<_> = labels.into_iter().take(limits::LABELS_MAX).collect();
    labels.sort_by_key(|(name, value)| name.len() + value.len());
    for (name, value) in labels {
        let name = cut(name, limits::LABEL_NAME_BYTES_MAX);
        let value = cut(value, limits::LABEL_VALUE_BYTES_MAX);
        let size = escaped_bytes(&name) + escaped_bytes(&value);
        if size <= *left {
            *left -= size;
            kept.insert(name, value);
        }
    }
    kept
}
