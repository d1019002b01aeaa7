//! The daemon as a value: build, start, drain. The program is a thin shell around it, and tests
//! and the demo embed the very same thing.

mod build;
#[cfg(test)]
pub(crate) mod testing;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Result;
use arc_swap::ArcSwap;
use tocsin_core::Timestamp;
use tocsin_plugin_host::PluginHost;
use tocsin_store::Store;
use tokio_util::sync::CancellationToken;

use crate::auth::{AckKey, AckLinks};
use crate::config::Config;
use crate::health::{Subject, watch};
use crate::metrics::Metrics;
use crate::runtime::{
    Clock, Due, Intake, Leases, Outbox, Payloads, Policies, Reload, Silences, Subscribers, Tokens,
    View, Writer,
};

/// How often the policies' folder is looked at, in milliseconds. A look is a few `stat` calls;
/// it finds changes on any file system, also where no notification comes.
const POLICY_LOOK_MS: u64 = 1_000;

/// How long a loop of the runtime that broke waits before it restarts, in milliseconds.
const LOOP_RESTART_MS: u64 = 1_000;

/// What a daemon is made of, besides its configuration.
pub struct Ingredients {
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// What must survive a power cut.
    pub store: Arc<dyn Store>,
    /// Where compiled plugins are kept; `None`: nowhere.
    pub cache: Option<PathBuf>,
    /// Where the last good policies are kept for a restart; `None`: nowhere.
    pub policies_kept: Option<PathBuf>,
    /// What signs links that acknowledge.
    pub ack_key: AckKey,
}

/// A daemon that is built. Nothing runs before [`start`](Self::start).
pub struct App {
    pub config: Arc<Config>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// What must survive a power cut.
    pub store: Arc<dyn Store>,
    /// Incidents and alerts, as they are durable.
    pub view: Arc<View>,
    /// The way to the one writer.
    pub writer: Writer,
    /// When alerts end by themselves.
    pub leases: Arc<Leases>,
    /// The silences in force.
    pub silences: Arc<Silences>,
    /// Takes signals and commands.
    pub intake: Arc<Intake>,
    /// Brings deliveries out.
    pub outbox: Arc<Outbox>,
    /// Fires what is due.
    pub due: Arc<Due>,
    /// What each plugin was granted.
    pub subscribers: Arc<ArcSwap<Subscribers>>,
    /// What payloads are made of.
    pub payloads: Payloads,
    pub metrics: Arc<Metrics>,
    pub host: Arc<PluginHost>,
    /// The policies in force.
    pub policies: Arc<Policies>,
    /// Links that acknowledge.
    pub ack_links: Arc<AckLinks>,
    /// Who may call.
    pub tokens: Arc<Tokens>,
    /// When it was built.
    pub started_at: Timestamp,
    /// What its health is read from.
    pub health: Arc<Subject>,
    /// Plugins that could not be loaded, each with why.
    pub plugin_faults: Arc<[(String, String)]>,
    /// Whether the endpoints accept requests: not before the start, not after the drain began.
    ready: AtomicBool,
    stop: CancellationToken,
    writer_thread: parking_lot::Mutex<Option<std::thread::JoinHandle<()>>>,
}

impl App {
    /// Starts what runs by itself: timers, deliveries, the look at the policies. From now on the
    /// daemon is ready.
    ///
    /// # Errors
    /// When the schedules of plugins cannot be set.
    pub async fn start(self: &Arc<Self>) -> Result<()> {
        self.due.arm_schedules().await?;
        self.keep_running("deliveries", Due::run);
        self.keep_running("sweeps", Due::run_sweeps);
        let app = Arc::clone(self);
        tokio::spawn(async move {
            while !app.stop.is_cancelled() {
                let looker = Arc::clone(&app);
                // A look that fails is tried again at the next.
                let _look = tokio::task::spawn_blocking(move || looker.look_around()).await;
                tokio::select! {
                    () = tokio::time::sleep(Duration::from_millis(POLICY_LOOK_MS)) => {}
                    () = app.stop.cancelled() => {}
                }
            }
        });
        self.set_ready();
        let (app, health) = (Arc::clone(self), Arc::clone(&self.health));
        tokio::spawn(watch(health, move || app.is_ready(), self.stop.clone()));
        Ok(())
    }

    /// Runs a loop of the runtime, and restarts it if it should break: a daemon that accepts
    /// alerts and pages nobody is worse than none.
    fn keep_running<F>(&self, name: &'static str, run: fn(Arc<Due>, CancellationToken) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (due, stop) = (Arc::clone(&self.due), self.stop.clone());
        tokio::spawn(async move {
            loop {
                let ended = tokio::spawn(run(Arc::clone(&due), stop.clone())).await;
                let Err(error) = ended else { return };
                tracing::error!(name, %error, "a loop of the runtime broke; it restarts");
                tokio::time::sleep(Duration::from_millis(LOOP_RESTART_MS)).await;
            }
        });
    }

    /// From now on the endpoints accept requests.
    pub fn set_ready(&self) {
        self.ready.store(true, Ordering::SeqCst);
    }

    /// Whether the endpoints accept requests.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.ready.load(Ordering::SeqCst) && self.writer.failure().is_none()
    }

    /// What to answer while the daemon is not ready.
    #[must_use]
    pub fn why_not_ready(&self) -> String {
        match self.writer.failure() {
            Some(error) => error.to_string(),
            None => "the daemon is starting or draining; try again".to_owned(),
        }
    }

    fn look_around(&self) {
        self.look_at_policies();
        if let Err(error) = self.tokens.follow() {
            tracing::error!(%error, "tokens that another engine wrote cannot be read");
        }
    }

    /// Checks the policies' folder, loads it if it has changed, and reports what is wrong.
    pub fn look_at_policies(&self) {
        match self.policies.reload() {
            Reload::Same => {}
            Reload::Loaded(hash) => tracing::info!(hash, "new policies are in force"),
            Reload::Failed(reports) => {
                self.metrics.policy_failed("reload");
                tracing::error!(%reports, "the policies are broken; the last good ones stay");
            }
        }
    }

    /// Stops: no new requests and deliveries; running ones have `grace` to end. Those that do not
    /// end in time are retried after the next start.
    pub async fn drain(&self, grace: Duration) {
        self.ready.store(false, Ordering::SeqCst);
        self.stop.cancel();
        if tokio::time::timeout(grace, self.outbox.settle_all())
            .await
            .is_err()
        {
            tracing::warn!(
                "some deliveries did not end in time; they are retried after the next start"
            );
        }
    }

    /// The writer's thread, for callers that wait for its end once the app is dropped.
    #[must_use]
    pub fn take_writer_thread(&self) -> Option<std::thread::JoinHandle<()>> {
        self.writer_thread.lock().take()
    }
}
