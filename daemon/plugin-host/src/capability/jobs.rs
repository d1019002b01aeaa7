//! `jobs`: collected during the call, committed by the daemon if the call succeeds.

use super::context::Context;
use super::service::{Reply, not_provided};
use crate::event_kind::EventKind;
use crate::wit::jobs::{Host, Options};
use serde::Serialize;
use std::sync::Arc;

/// Jobs enqueued per call.
pub const JOBS_PER_CALL: usize = 100;
/// Jobs of one plugin that wait to be delivered, about: more are refused until some are done.
pub const JOBS_WAITING_MAX: usize = 1_000;
/// Payload of one job, in bytes, written as a JSON string: quotes in it count twice. A store allows
/// values of 8 KiB, which must hold the job's topic and names besides.
const JOB_BYTES_MAX: usize = 6 << 10;
/// The longest delay of a job, in milliseconds: 30 days.
const JOB_DELAY_MS_MAX: u64 = 30 * 24 * 3_600_000;
/// Topics and deduplication keys of jobs, in bytes.
const JOB_KEY_BYTES_MAX: usize = 256;

/// What the daemon provides.
pub trait JobService: Send + Sync + 'static {
    /// How many jobs of a plugin wait to be delivered; need not count further than
    /// [`JOBS_WAITING_MAX`].
    fn jobs_waiting<'a>(&'a self, _plugin: &'a str) -> Reply<'a, usize> {
        not_provided()
    }
}

/// A job that the plugin queued for itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EnqueuedJob {
    /// Stable over retries of the call.
    pub id: String,
    /// For the plugin.
    pub topic: String,
    /// JSON.
    pub payload: String,
    /// The shortest delay from now, in milliseconds.
    pub delay_ms: u64,
    /// A waiting job with the same key is replaced by this one.
    pub dedup_key: Option<String>,
}

/// The jobs of one call.
#[derive(Default)]
pub(crate) struct JobQueue {
    pub(crate) jobs: Vec<EnqueuedJob>,
    /// Jobs of this plugin that waited when the guest first queued one.
    waiting: Option<usize>,
}

impl Host for Context {
    async fn enqueue(
        &mut self,
        topic: String,
        payload: String,
        options: Options,
    ) -> wasmtime::Result<Result<String, String>> {
        let _pause = self.pause();
        Ok(self.enqueue_job(topic, payload, options).await)
    }
}

impl Context {
    async fn enqueue_job(
        &mut self,
        topic: String,
        payload: String,
        options: Options,
    ) -> Result<String, String> {
        if self.facts.without_rights {
            return Err("jobs are not available during this call".into());
        }
        if let Err(denied) = self.shared.rights.event(EventKind::Job) {
            return Err(self.deny(denied));
        }
        if self.jobs.jobs.len() >= JOBS_PER_CALL {
            return Err(format!("at most {JOBS_PER_CALL} jobs per call"));
        }
        let bytes = serde_json::to_string(&payload).map_or(usize::MAX, |it| it.len());
        if bytes > JOB_BYTES_MAX {
            return Err(format!(
                "the payload has {bytes} bytes, more than {JOB_BYTES_MAX}; keep the rest in kv"
            ));
        }
        let dedup_bytes = options.dedup_key.as_ref().map_or(0, String::len);
        if topic.is_empty() || topic.len().max(dedup_bytes) > JOB_KEY_BYTES_MAX {
            return Err(format!(
                "a topic has 1 to {JOB_KEY_BYTES_MAX} bytes, a dedup-key as many"
            ));
        }
        if serde_json::from_str::<serde::de::IgnoredAny>(&payload).is_err() {
            return Err("the payload is not valid JSON".into());
        }
        self.room_for_a_job().await?;
        let id = self.operation_key("job", &format!("{topic}\n{payload}"));
        self.jobs.jobs.push(EnqueuedJob {
            id: id.clone(),
            topic,
            payload,
            delay_ms: options.delay_ms.min(JOB_DELAY_MS_MAX),
            dedup_key: options.dedup_key,
        });
        Ok(id)
    }

    /// Jobs that queue more jobs must not fill the disk: whether one more may wait. Asked once a
    /// call.
    async fn room_for_a_job(&mut self) -> Result<(), String> {
        let waiting = match self.jobs.waiting {
            Some(waiting) => waiting,
            None => {
                let services = Arc::clone(&self.shared.services);
                let waiting = services.jobs_waiting(self.plugin()).await;
                let waiting = waiting.map_err(|error| error.to_string())?;
                *self.jobs.waiting.insert(waiting)
            }
        };
        if waiting.saturating_add(self.jobs.jobs.len()) < JOBS_WAITING_MAX {
            return Ok(());
        }
        Err(format!(
            "{JOBS_WAITING_MAX} jobs of this plugin wait already; let them be done first, and put \
             more work into each"
        ))
    }
}
