//! `jobs`: collected during the call, committed by the daemon if the call succeeds.

use super::context::Context;
use super::service::{Reply, not_provided};
use crate::event_kind::EventKind;
use crate::wit::jobs::{Host, Options};
use serde::Serialize;
use std::sync::Arc;

/// Most jobs enqueued per call.
pub const JOBS_PER_CALL: usize = 100;
/// Approximate limit of a plugin's undelivered jobs; further ones are refused until some are done.
pub const JOBS_WAITING_MAX: usize = 1_000;
/// Largest payload of one job, in bytes as a JSON string, so that quotes count twice. A store's
/// values have at most 8 KiB, which must also hold the job's topic and names.
const JOB_BYTES_MAX: usize = 6 << 10;
/// Longest delay of a job, in milliseconds: 30 days.
const JOB_DELAY_MS_MAX: u64 = 30 * 24 * 3_600_000;
/// Longest topic or deduplication key of a job, in bytes.
const JOB_KEY_BYTES_MAX: usize = 256;

/// What the daemon provides.
pub trait JobService: Send + Sync + 'static {
    /// The number of a plugin's undelivered jobs; need not count beyond [`JOBS_WAITING_MAX`].
    fn jobs_waiting<'a>(&'a self, _plugin: &'a str) -> Reply<'a, usize> {
        not_provided()
    }
}

/// A job that a plugin enqueued for itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EnqueuedJob {
    /// Stable across retries of the call.
    pub id: String,
    /// Chosen by the plugin.
    pub topic: String,
    /// JSON.
    pub payload: String,
    /// Earliest delivery from now, in milliseconds.
    pub delay_ms: u64,
    /// Replaces a waiting job with the same key.
    pub dedup_key: Option<String>,
}

/// The jobs of one call.
#[derive(Default)]
pub(crate) struct JobQueue {
    pub(crate) jobs: Vec<EnqueuedJob>,
    /// The plugin's waiting jobs when the guest first enqueued one.
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
                "the payload has {bytes} bytes, more than {JOB_BYTES_MAX}; store the rest in kv"
            ));
        }
        let dedup_bytes = options.dedup_key.as_ref().map_or(0, String::len);
        if topic.is_empty() || topic.len().max(dedup_bytes) > JOB_KEY_BYTES_MAX {
            return Err(format!(
                "a topic and a dedup-key must have 1 to {JOB_KEY_BYTES_MAX} bytes"
            ));
        }
        if serde_json::from_str::<serde::de::IgnoredAny>(&payload).is_err() {
            return Err("the payload is not valid JSON".into());
        }
        self.check_job_quota().await?;
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

    /// Checks that the plugin may have one more waiting job, so that jobs that enqueue more jobs
    /// cannot fill the disk. The store is queried once per call.
    async fn check_job_quota(&mut self) -> Result<(), String> {
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
            "{JOBS_WAITING_MAX} jobs of this plugin are already waiting; let them finish first, \
            and put more work into each"
        ))
    }
}
