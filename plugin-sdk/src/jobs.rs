//! Durable work for later, which comes back to this plugin's own `on_event` as a `job`. It is
//! committed only if the present call succeeds.

use crate::host;
use crate::types::{Failure, JobOptions};
use serde_json::Value;

/// Queues a job for right after this call. A second one with the same `dedup_key` is dropped while
/// the first is still waiting.
///
/// # Errors
/// A permanent failure when the host refuses the job, e.g. because the queue is full.
pub fn enqueue(topic: &str, payload: &Value, dedup_key: Option<&str>) -> Result<String, Failure> {
    enqueue_after(0, topic, payload, dedup_key)
}

/// The same, not before `delay_ms` milliseconds from now.
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
        .map_err(|error| Failure::Permanent(format!("the job {topic} was refused: {error}")))
}
