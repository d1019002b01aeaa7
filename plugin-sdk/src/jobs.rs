//! Durable work for later, delivered to this plugin's `on_event` as a `job`. It is committed only
//! if the current call succeeds.

use crate::host;
use crate::types::{Failure, JobOptions};
use serde_json::Value;

/// Enqueues a job for right after this call. A second one with the same `dedup_key` replaces the
/// first while that is still waiting.
///
/// # Errors
/// A permanent failure when the host rejects the job, e.g. because the queue is full.
pub fn enqueue(topic: &str, payload: &Value, dedup_key: Option<&str>) -> Result<String, Failure> {
    enqueue_after(0, topic, payload, dedup_key)
}

/// Like [`enqueue`], but delivered `delay_ms` milliseconds from now at the earliest.
///
/// # Errors
/// As for [`enqueue`].
pub fn enqueue_after(
    delay_ms: u64,
    topic: &str,
    payload: &Value,
    dedup_key: Option<&str>,
) -> Result<String, Failure> {
    let options = JobOptions {
        delay_ms,
        dedup_key: dedup_key.map(Into::into),
    };
    host::jobs::enqueue(topic, &payload.to_string(), &options)
        .map_err(|error| Failure::Permanent(format!("the job {topic} was rejected: {error}")))
}
