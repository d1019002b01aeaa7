//! What comes to plugins from outside, by a request or by a frame of a socket: it is handled once,
//! and what the plugin queued is durable before its sender is answered.

mod repeats;
mod sockets;

use std::sync::Arc;

use tocsin_core::{PluginId, Timestamp};
use tocsin_plugin_host::wit::WebhookResponse;
use tocsin_plugin_host::{CheckedWebhook, EnqueuedJob, Failure, LoadedPlugin};
use tocsin_store::{CommitError, Store};

use repeats::{Repeat, Try};

use super::engine::handle::EngineHandle;
use super::engine::request::{Request, Write};
use super::error::EngineError;
use super::outbox::outcome::job_row;

pub use sockets::keep_open;

/// Passes to plugins what comes from outside.
#[derive(Clone)]
pub struct Inbound {
    base: EngineHandle,
}

/// Why something from outside has no answer.
#[derive(Debug, thiserror::Error)]
pub enum NotHandled {
    #[error(
        "this request was handled before, and its sender has not signed it again: it is a replay"
    )]
    Replay,
    /// A concurrent try was faster, and its answer is not there any more.
    #[error("the same request was being handled; send it again")]
    Concurrent,
    /// The plugin failed; nothing of it is durable.
    #[error("{0}")]
    Failed(Failure),
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl Inbound {
    #[must_use]
    pub fn new(base: EngineHandle) -> Self {
        Self { base }
    }

    /// Has a plugin handle a checked request, unless it did so before: then its first answer is
    /// repeated.
    ///
    /// # Errors
    /// [`NotHandled`]; whether it may be sent again depends on it.
    pub async fn handle(
        &self,
        plugin: &LoadedPlugin,
        checked: CheckedWebhook,
    ) -> Result<WebhookResponse, NotHandled> {
        let attempt = Try::of(&checked);
        let id = PluginId(plugin.id());
        if let Some(answer) = self.earlier(&id, attempt.as_ref()).await? {
            return Ok(answer);
        }
        let result = plugin.handle_webhook(checked).await;
        let answer = result.outcome.map_err(NotHandled::Failed)?;
        self.commit(id, result.jobs, attempt, answer).await
    }

    /// The answer of an earlier try.
    async fn earlier(
        &self,
        plugin: &PluginId,
        attempt: Option<&Try>,
    ) -> Result<Option<WebhookResponse>, NotHandled> {
        let Some(attempt) = attempt else {
            return Ok(None);
        };
        match self.repeat_of(attempt).await? {
            Repeat::No => Ok(None),
            Repeat::Retry(answer) => {
                tracing::info!(%plugin, "a repeated request to a plugin gets the first answer");
                Ok(Some(answer))
            }
            Repeat::Replay => Err(NotHandled::Replay),
        }
    }

    /// Commits what the plugin queued, and its answer for retries. When a concurrent try of the
    /// same request was committed first, its answer is returned and nothing is queued twice.
    async fn commit(
        &self,
        plugin: PluginId,
        jobs: Vec<EnqueuedJob>,
        attempt: Option<Try>,
        answer: WebhookResponse,
    ) -> Result<WebhookResponse, NotHandled> {
        let now: Timestamp = self.base.clock.now();
        let rows = jobs.into_iter().map(|job| job_row(&plugin, job, now));
        let mut write = Write {
            outbox: rows.collect(),
            ..Write::default()
        };
        if let Some(attempt) = &attempt {
            self.remember(&mut write, attempt, &answer, now).await?;
        }
        if write.outbox.is_empty() && write.rows.is_empty() {
            return Ok(answer);
        }
        let asked = self.base.writer.offer(Request::Write(Box::new(write)));
        match asked.await {
            Err(EngineError::Commit(CommitError::Conflict { .. })) => {
                // If the other try's answer has been swept already, nothing of this one was
                // committed either, so the sender must retry.
                let faster = self.earlier(&plugin, attempt.as_ref()).await?;
                faster.ok_or(NotHandled::Concurrent)
            }
            Err(error) => Err(error.into()),
            Ok(_) => Ok(answer),
        }
    }

    /// Reads the store on a thread for blocking work.
    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&dyn Store) -> Result<T, EngineError> + Send + 'static,
    ) -> Result<T, EngineError> {
        let store: Arc<dyn Store> = self.base.view.shared_store();
        let ran = tokio::task::spawn_blocking(move || read(store.as_ref())).await;
        ran.map_err(|error| EngineError::Damaged(format!("the read did not finish: {error}")))?
    }
}
