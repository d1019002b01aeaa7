//! Gauges of the whole daemon, set whenever the metrics are read.

use std::sync::atomic::AtomicU64;

use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// The gauges; their meaning is in their help text.
#[derive(Default)]
pub struct Gauges {
    pub incidents_active: Gauge,
    pub alerts_firing: Gauge,
    pub writer_queued: Gauge,
    pub pages_waiting: Gauge,
    pub oldest_page_seconds: Gauge<f64, AtomicU64>,
    pub timers_overdue: Gauge,
    pub dead_letters_day: Gauge,
    pub store_bytes: Gauge,
    pub disk_free_bytes: Gauge,
    pub resident_bytes: Gauge,
    pub heartbeats: Gauge,
    pub policy_cache_hits: Gauge,
    pub policy_cache_misses: Gauge,
    pub policy_cache_nodes: Gauge,
    pub history: Gauge,
    pub history_bytes: Gauge,
}

impl Gauges {
    pub(super) fn register(&self, it: &mut Registry) {
        let oldest = self.oldest_page_seconds.clone();
        it.register(
            "oldest_page_seconds",
            "Age of the oldest undelivered page",
            oldest,
        );
        for (name, help, gauge) in [
            (
                "incidents_active",
                "Active incidents",
                &self.incidents_active,
            ),
            ("alerts_firing", "Firing alerts", &self.alerts_firing),
            (
                "writer_queued",
                "Requests waiting for the writer",
                &self.writer_queued,
            ),
            (
                "pages_waiting",
                "Pages that no channel has delivered yet",
                &self.pages_waiting,
            ),
            ("timers_overdue", "Overdue timers", &self.timers_overdue),
            (
                "dead_letters_day",
                "Deliveries given up in the last day",
                &self.dead_letters_day,
            ),
            ("store_bytes", "Size of the store", &self.store_bytes),
            (
                "disk_free_bytes",
                "Free bytes of the store's disk; -1 when unknown",
                &self.disk_free_bytes,
            ),
            (
                "resident_bytes",
                "Resident memory; -1 when unknown",
                &self.resident_bytes,
            ),
            (
                "heartbeats",
                "Heartbeats sent since the start",
                &self.heartbeats,
            ),
            (
                "policy_cache_hits",
                "Verdicts given without running a script, since the policies were loaded",
                &self.policy_cache_hits,
            ),
            (
                "policy_cache_misses",
                "Policy calls that ran a script, since the policies were loaded",
                &self.policy_cache_misses,
            ),
            (
                "policy_cache_nodes",
                "Size of the cache of verdicts, in nodes",
                &self.policy_cache_nodes,
            ),
            ("history_entries", "Packed alert changes", &self.history),
            ("history_bytes", "Size of these", &self.history_bytes),
        ] {
            it.register(name, help, gauge.clone());
        }
    }
}
