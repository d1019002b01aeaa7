//! `jobs`: collected during the call, committed by the daemon if the call succeeds.

use crate::call::EnqueuedJob;
use crate::limits::{
    JOB_BYTES_MAX, JOB_DELAY_MS_MAX, JOB_KEY_BYTES_MAX, JOBS_PER_CALL, JOBS_WAITING_MAX,
};
use crate::state::CallState;
use crate::wit::jobs::{Host, Options};
use std::sync::Arc;

impl Host for CallState {
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

impl CallState {
    async fn enqueue_job(
        &mut self,
        topic: String,
        payload: String,
        options: Options,
    ) -> Result<String, String> {
        if self.powerless {
            return Err("there are no jobs during this call".into());
        }
        if let Err(denied) = self.shared.rights.event("job") {
            return Err(self.deny(denied));
        }
        if self.jobs.len() >= JOBS_PER_CALL {
            return Err(format!("at most {JOBS_PER_CALL} jobs per call"));
        }
        let bytes = serde_json::to_string(&payload).map_or(usize::MAX, |it| it.len());
        if bytes > JOB_BYTES_MAX {
            return Err(format!(
                "the payload takes {bytes} bytes, more than {JOB_BYTES_MAX}; keep the rest in kv"
            ));
        }
        let dedup_bytes = options.dedup_key.as_ref().map_or(0, String::len);
        if topic.is_empty() || topic.len().max(dedup_bytes) > JOB_KEY_BYTES_MAX {
            return Err(format!(
                "a topic has 1 to {JOB_KEY_BYTES_MAX} bytes, a dedup-key as many"
            ));
        }
        if serde_json::from_str::<serde::de::IgnoredAny>(&payload).is_err() {
            return Err("the payload is no JSON".into());
        }
        self.room_for_a_job().await?;
        let id = self.act_key("job", &format!("{topic}\n{payload}"));
        self.jobs.push(EnqueuedJob {
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
        let waiting = match self.jobs_waiting {
            Some(waiting) => waiting,
            None => {
                let services = Arc::clone(&self.shared.services);
                let waiting = services.jobs_waiting(self.plugin()).await;
                let waiting = waiting.map_err(|error| error.to_string())?;
                *self.jobs_waiting.insert(waiting)
            }
        };
        if waiting.saturating_add(self.jobs.len()) < JOBS_WAITING_MAX {
            return Ok(());
        }
        Err(format!(
            "{JOBS_WAITING_MAX} jobs of this plugin wait already; let them be done first, and put \
             more work into each"
        ))
    }
}
