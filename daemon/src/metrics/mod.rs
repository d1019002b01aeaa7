//! What an operator must know at three in the night, as Prometheus metrics. An explicit registry
//! and no global one, so that two daemons in one test do not count for each other.

use std::sync::atomic::AtomicU64;

use parking_lot::RwLock;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Upper bounds of the lateness of timers, in seconds.
const LATE_SECONDS: [f64; 6] = [0.1, 0.5, 1.0, 5.0, 30.0, 300.0];
/// Upper bounds of the time that a request takes, in seconds.
const REQUEST_SECONDS: [f64; 8] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0];

/// Every metric of the daemon.
pub struct Metrics {
    registry: RwLock<Registry>,
    signals: Counter,
    policy_failures: Family<FileLabel, Counter>,
    deliveries: Family<DeliveryLabel, Counter>,
    dead_letters: Counter,
    timers_late: Histogram,
    requests: Family<RequestLabel, Counter>,
    request_seconds: Histogram,
    /// Incidents that are active.
    pub incidents_active: Gauge,
    /// Alerts that fire.
    pub alerts_firing: Gauge,
    /// Requests that wait for the writer.
    pub writer_queued: Gauge,
    /// Seconds that the oldest page waits in the outbox; 0 when none does.
    pub oldest_page_seconds: Gauge<f64, AtomicU64>,
    /// Timers that are due and not fired.
    pub timers_overdue: Gauge,
    /// Bytes that the store takes on its disk.
    pub store_bytes: Gauge,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FileLabel {
    file: String,
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

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("tocsin");
        let it = Self {
            registry: RwLock::new(Registry::default()),
            signals: Counter::default(),
            policy_failures: Family::default(),
            deliveries: Family::default(),
            dead_letters: Counter::default(),
            timers_late: Histogram::new(LATE_SECONDS),
            requests: Family::default(),
            request_seconds: Histogram::new(REQUEST_SECONDS),
            incidents_active: Gauge::default(),
            alerts_firing: Gauge::default(),
            writer_queued: Gauge::default(),
            oldest_page_seconds: Gauge::default(),
            timers_overdue: Gauge::default(),
            store_bytes: Gauge::default(),
        };
        it.register(&mut registry);
        *it.registry.write() = registry;
        it
    }
}

impl Metrics {
    /// All of them in the text format of OpenMetrics.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail; an empty page would show at once.
        let _cannot_fail = encode(&mut text, &self.registry.read());
        text
    }

    /// Signals were taken and are durable.
    pub fn signals_taken(&self, count: usize) {
        self.signals.inc_by(count as u64);
    }

    /// A policy failed.
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

    /// A timer fired so many milliseconds after it was due.
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

    fn register(&self, it: &mut Registry) {
        it.register(
            "signals",
            "Signals taken, each durable",
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
            "timer_late_seconds",
            "Lateness of timers",
            self.timers_late.clone(),
        );
        it.register("http_requests", "Requests answered", self.requests.clone());
        it.register(
            "http_request_seconds",
            "Time to answer",
            self.request_seconds.clone(),
        );
        it.register(
            "incidents_active",
            "Active incidents",
            self.incidents_active.clone(),
        );
        it.register(
            "alerts_firing",
            "Alerts that fire",
            self.alerts_firing.clone(),
        );
        it.register(
            "writer_queued",
            "Requests at the writer",
            self.writer_queued.clone(),
        );
        let oldest = "Age of the oldest undelivered page";
        it.register(
            "oldest_page_seconds",
            oldest,
            self.oldest_page_seconds.clone(),
        );
        it.register(
            "timers_overdue",
            "Due timers not fired",
            self.timers_overdue.clone(),
        );
        it.register("store_bytes", "Size of the store", self.store_bytes.clone());
    }
}
