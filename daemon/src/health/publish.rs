//! Publishes vitals and checks as metrics.

use super::{Check, Vitals};
use crate::metrics::Metrics;

impl Vitals {
    /// Sets the gauges of `metrics`.
    #[expect(
        clippy::cast_precision_loss,
        reason = "the age of a page in milliseconds is far below 2^52"
    )]
    pub fn publish(&self, metrics: &Metrics) {
        let gauges = &metrics.gauges;
        let beats = self.heartbeat.as_ref().map_or(0, |it| it.sent);
        let unknown = |bytes: Option<u64>| bytes.map_or(-1, gauge);
        let oldest_page_s = self.page_wait_ms as f64 / 1_000.0;
        gauges.incidents_active.set(gauge(self.incidents_active));
        gauges.alerts_firing.set(gauge(self.alerts_firing));
        gauges.writer_queued.set(gauge(self.queued.0));
        gauges.pages_waiting.set(gauge(self.pages_waiting));
        gauges.oldest_page_seconds.set(oldest_page_s);
        gauges.timers_overdue.set(gauge(self.timers_overdue));
        gauges.dead_letters_day.set(gauge(self.dead_letters.0));
        gauges.store_bytes.set(gauge(self.store_bytes));
        gauges.disk_free_bytes.set(unknown(self.disk_free_bytes));
        gauges.resident_bytes.set(unknown(self.resident_bytes));
        gauges.heartbeats.set(gauge(beats));
        gauges.policy_cache_hits.set(gauge(self.policy_cache.hits));
        gauges
            .policy_cache_misses
            .set(gauge(self.policy_cache.misses));
        gauges
            .policy_cache_nodes
            .set(gauge(self.policy_cache.nodes));
        gauges.history.set(gauge(self.history.entries));
        gauges.history_bytes.set(gauge(self.history.bytes));
    }
}

/// Sets the level of every check.
pub(super) fn publish_checks(checks: &[Check], metrics: &Metrics) {
    metrics.checked(checks.iter().map(|it| (it.name.as_str(), it.level as i64)));
}

fn gauge(count: impl TryInto<i64>) -> i64 {
    count.try_into().unwrap_or(i64::MAX)
}
