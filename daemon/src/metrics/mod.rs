//! Prometheus metrics. The registry is not global, so that two daemons in one test do not share
//! counters.

mod commits;
mod gauges;

use std::sync::Arc;

use parking_lot::RwLock;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

pub use commits::{CommitTimes, Commits};
pub use gauges::Gauges;

/// Upper bounds of the histogram of timer lateness, in seconds.
const LATE_SECONDS: [f64; 6] = [0.1, 0.5, 1.0, 5.0, 30.0, 300.0];
/// Upper bounds of the histogram of request times, in seconds.
const REQUEST_SECONDS: [f64; 8] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0];

/// Every metric of the daemon.
pub struct Metrics {
    registry: RwLock<Registry>,
    signals: Counter,
    policy_failures: Family<FileLabel, Counter>,
    deliveries: Family<DeliveryLabel, Counter>,
    dead_letters: Counter,
    interrupted: Counter,
    effects_unknown: Family<PluginLabel, Counter>,
    timers_late: Histogram,
    requests: Family<RequestLabel, Counter>,
    request_seconds: Histogram,
    checks: Family<CheckLabel, Gauge>,
    /// Set whenever the metrics are read.
    pub gauges: Gauges,
    /// Commit times.
    pub commits: Arc<Commits>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FileLabel {
    file: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PluginLabel {
    plugin: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DeliveryLabel {
    to: String,
    outcome: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabel {
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CheckLabel {
    check: String,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("tocsin");
        let it = Self {
            registry: RwLock::new(Registry::default()),
            signals: Counter::default(),
            policy_failures: Family::default(),
            deliveries: Family::default(),
            dead_letters: Counter::default(),
            interrupted: Counter::default(),
            effects_unknown: Family::default(),
            timers_late: Histogram::new(LATE_SECONDS),
            requests: Family::default(),
            request_seconds: Histogram::new(REQUEST_SECONDS),
            checks: Family::default(),
            gauges: Gauges::default(),
            commits: Arc::default(),
        };
        it.register(&mut registry);
        *it.registry.write() = registry;
        it
    }
}

impl Metrics {
    /// All metrics in the OpenMetrics text format.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _cannot_fail = encode(&mut text, &self.registry.read());
        text
    }

    /// Signals were accepted and are durable.
    pub fn signals_taken(&self, count: usize) {
        self.signals.inc_by(count as u64);
    }

    pub fn policy_failed(&self, file: &str) {
        self.policy_failures
            .get_or_create(&FileLabel {
                file: file.to_owned(),
            })
            .inc();
    }

    /// A delivery ended.
    pub fn delivered(&self, to: &str, outcome: &str) {
        let label = DeliveryLabel {
            to: to.to_owned(),
            outcome: outcome.to_owned(),
        };
        self.deliveries.get_or_create(&label).inc();
    }

    /// A delivery was given up.
    pub fn dead_letter(&self) {
        self.dead_letters.inc();
    }

    /// A delivery was retried because an earlier try was interrupted.
    pub fn interrupted(&self) {
        self.interrupted.inc();
    }

    /// A plugin's earlier request has an unknown outcome.
    pub fn effect_unknown(&self, plugin: &str) {
        let plugin = plugin.to_owned();
        self.effects_unknown
            .get_or_create(&PluginLabel { plugin })
            .inc();
    }

    /// A timer fired `late_ms` milliseconds after it was due.
    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds of lateness are small"
    )]
    pub fn timer_fired(&self, late_ms: u64) {
        self.timers_late.observe(late_ms as f64 / 1_000.0);
    }

    /// A request was answered.
    pub fn answered(&self, route: &str, status: u16, seconds: f64) {
        let label = RequestLabel {
            route: route.to_owned(),
            status,
        };
        self.requests.get_or_create(&label).inc();
        self.request_seconds.observe(seconds);
    }

    /// The result of every health check, by name: 0 ok, 1 warn, 2 bad.
    pub fn checked<'a>(&self, levels: impl IntoIterator<Item = (&'a str, i64)>) {
        self.checks.clear();
        for (check, level) in levels {
            let check = check.to_owned();
            self.checks.get_or_create(&CheckLabel { check }).set(level);
        }
    }

    fn register(&self, it: &mut Registry) {
        it.register(
            "signals",
            "Signals accepted, each durable",
            self.signals.clone(),
        );
        it.register(
            "policy_failures",
            "Policy calls that failed",
            self.policy_failures.clone(),
        );
        it.register(
            "deliveries",
            "Deliveries that ended",
            self.deliveries.clone(),
        );
        it.register(
            "dead_letters",
            "Deliveries given up",
            self.dead_letters.clone(),
        );
        it.register(
            "deliveries_interrupted",
            "Deliveries retried because an earlier try was interrupted, its outcome unknown",
            self.interrupted.clone(),
        );
        it.register(
            "effects_unknown",
            "Requests of plugins whose earlier try has an unknown outcome",
            self.effects_unknown.clone(),
        );
        it.register(
            "timer_late_seconds",
            "Lateness of timers",
            self.timers_late.clone(),
        );
        it.register("http_requests", "Requests answered", self.requests.clone());
        it.register(
            "http_request_seconds",
            "Response time",
            self.request_seconds.clone(),
        );
        let commits = self.commits.seconds.clone();
        it.register("commit_seconds", "Commit time", commits);
        let levels = "Results of the health checks: 0 ok, 1 warn, 2 bad";
        it.register("check", levels, self.checks.clone());
        self.gauges.register(it);
    }
}
