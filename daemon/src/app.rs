//! The daemon as a value: build, start, drain. The program, the tests and the demo all use it.

mod build;

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

use crate::auth::{AckKey, AckLinks, NewToken, Token, TokenRow};
use crate::config::Config;
use crate::health::{Subject, watch};
use crate::metrics::Metrics;
use crate::runtime::{
    Calendars, Clock, Due, Inbound, Intake, Leases, OnCall, Outbox, Payloads, Policies, Reload,
    Silences, Sns, Subscribers, SystemClock, TokenError, Tokens, View, Writer, keep_open,
};

/// How often the policies' folder is polled for changes, in milliseconds. A poll is a few `stat`
/// calls, and works on file systems without change notifications too.
const POLICY_POLL_MS: u64 = 1_000;

/// How often is looked for calendars that are due, in milliseconds.
const CALENDAR_POLL_MS: u64 = 10_000;

/// Delay before a runtime loop that panicked is restarted, in milliseconds.
const LOOP_RESTART_MS: u64 = 1_000;

/// What a daemon needs besides its configuration.
pub struct Ingredients {
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// What must survive a power cut.
    pub store: Arc<dyn Store>,
    /// Where compiled plugins are cached, if anywhere.
    pub cache: Option<PathBuf>,
    /// Where the last good policies are kept for a restart, if anywhere.
    pub policies_kept: Option<PathBuf>,
    /// The key that signs acknowledge links.
    pub ack_key: AckKey,
}

impl Ingredients {
    /// Ingredients with the system clock, this store and a random key. Nothing else is persisted.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn on(store: Arc<dyn Store>) -> Result<Self> {
        Ok(Self {
            clock: Arc::new(SystemClock),
            store,
            cache: None,
            policies_kept: None,
            ack_key: AckKey::random()?,
        })
    }
}

/// A daemon. Nothing runs before [`start`](Self::start).
pub struct App {
    pub config: Arc<Config>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// What must survive a power cut.
    pub store: Arc<dyn Store>,
    /// The durable state of incidents and alerts.
    pub view: Arc<View>,
    /// Sends requests to the single writer thread.
    pub writer: Writer,
    /// When firing alerts expire.
    pub leases: Arc<Leases>,
    /// The silences in force.
    pub silences: Arc<Silences>,
    /// Makes overrides, and knows those of every engine.
    pub on_call: Arc<OnCall>,
    /// Reads the calendars of people.
    pub calendars: Arc<Calendars>,
    /// Passes to plugins what comes from outside.
    pub inbound: Inbound,
    /// Calls Amazon SNS.
    pub sns: Sns,
    /// Accepts signals and commands.
    pub intake: Arc<Intake>,
    /// Sends deliveries.
    pub outbox: Arc<Outbox>,
    /// Fires due timers.
    pub due: Arc<Due>,
    /// What each plugin was granted.
    pub subscribers: Arc<ArcSwap<Subscribers>>,
    /// Builds payloads.
    pub payloads: Payloads,
    pub metrics: Arc<Metrics>,
    pub host: Arc<PluginHost>,
    /// The policies in force.
    pub policies: Arc<Policies>,
    /// Makes and checks acknowledge links.
    pub ack_links: Arc<AckLinks>,
    /// API tokens.
    pub tokens: Arc<Tokens>,
    /// When the daemon was built.
    pub started_at: Timestamp,
    /// What health checks read.
    pub health: Arc<Subject>,
    /// Plugins that could not be loaded, each with the reason.
    pub plugin_faults: Arc<[(String, String)]>,
    /// Whether the endpoints accept requests: only between start and drain.
    ready: AtomicBool,
    stop: CancellationToken,
    writer_thread: parking_lot::Mutex<Option<std::thread::JoinHandle<()>>>,
}

impl App {
    /// Starts the background tasks (timers, deliveries, polling of policies), and marks the
    /// daemon as ready.
    ///
    /// # Errors
    /// When the schedules of plugins and the dead man's switches cannot be set.
    pub async fn start(self: &Arc<Self>) -> Result<()> {
        self.due.arm().await?;
        self.keep_running("deliveries", Due::run);
        self.keep_running("sweeps", Due::run_sweeps);
        let app = Arc::clone(self);
        tokio::spawn(async move {
            while !app.stop.is_cancelled() {
                let poller = Arc::clone(&app);
                // A failed poll is repeated at the next interval.
                let _failed = tokio::task::spawn_blocking(move || poller.poll_changes()).await;
                tokio::select! {
                    () = tokio::time::sleep(Duration::from_millis(POLICY_POLL_MS)) => {}
                    () = app.stop.cancelled() => {}
                }
            }
        });
        self.read_calendars();
        self.set_ready();
        let (host, inbound) = (Arc::clone(&self.host), self.inbound.clone());
        tokio::spawn(keep_open(host, inbound, self.stop.clone()));
        let (app, health) = (Arc::clone(self), Arc::clone(&self.health));
        tokio::spawn(watch(health, move || app.is_ready(), self.stop.clone()));
        Ok(())
    }

    /// Runs a loop of the runtime, and restarts it if it panics: a daemon that accepts alerts and
    /// pages nobody is worse than none.
    fn keep_running<F>(&self, name: &'static str, run: fn(Arc<Due>, CancellationToken) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (due, stop) = (Arc::clone(&self.due), self.stop.clone());
        tokio::spawn(async move {
            loop {
                let ended = tokio::spawn(run(Arc::clone(&due), stop.clone())).await;
                let Err(error) = ended else { return };
                tracing::error!(name, %error, "a runtime loop panicked; restarting it");
                tokio::time::sleep(Duration::from_millis(LOOP_RESTART_MS)).await;
            }
        });
    }

    /// Reads the calendars of people, now and whenever they are due.
    fn read_calendars(&self) {
        let (calendars, stop) = (Arc::clone(&self.calendars), self.stop.clone());
        tokio::spawn(async move {
            while !stop.is_cancelled() {
                tokio::select! {
                    () = calendars.read_due() => {}
                    () = stop.cancelled() => return,
                }
                tokio::select! {
                    () = tokio::time::sleep(Duration::from_millis(CALENDAR_POLL_MS)) => {}
                    () = stop.cancelled() => {}
                }
            }
        });
    }

    /// Makes the endpoints accept requests.
    pub fn set_ready(&self) {
        self.ready.store(true, Ordering::SeqCst);
    }

    /// Makes a token. Its text is in the returned [`Token`] and nowhere else.
    ///
    /// # Errors
    /// [`TokenError`] when it is not valid or cannot be stored.
    pub async fn issue(&self, wanted: NewToken) -> Result<(Token, Arc<TokenRow>), TokenError> {
        let (now, writer) = (self.clock.now(), &self.writer);
        self.tokens.create(wanted, &self.config, now, writer).await
    }

    /// Whether the endpoints accept requests.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.ready.load(Ordering::SeqCst) && self.writer.failure().is_none()
    }

    /// The error message while the daemon is not ready.
    #[must_use]
    pub fn why_not_ready(&self) -> String {
        match self.writer.failure() {
            Some(error) => error.to_string(),
            None => "the daemon is starting or draining; try again".to_owned(),
        }
    }

    fn poll_changes(&self) {
        self.reload_policies();
        if let Err(error) = self.tokens.follow() {
            tracing::error!(%error, "cannot read tokens that another engine wrote");
        }
    }

    /// Loads the policies if their folder has changed, and logs what is wrong.
    pub fn reload_policies(&self) {
        match self.policies.reload() {
            Reload::Same => {}
            Reload::Loaded(hash) => tracing::info!(hash, "new policies are in force"),
            Reload::Failed(reports) => {
                self.metrics.policy_failed("reload");
                tracing::error!(%reports, "the policies have errors; the last good ones stay");
            }
        }
    }

    /// Stops: no new requests or deliveries; running ones have `grace` to finish. Deliveries that
    /// do not finish in time are retried after the next start.
    pub async fn drain(&self, grace: Duration) {
        self.ready.store(false, Ordering::SeqCst);
        self.stop.cancel();
        if tokio::time::timeout(grace, self.outbox.settle_all())
            .await
            .is_err()
        {
            tracing::warn!(
                "some deliveries did not finish in time; they are retried after the next start"
            );
        }
    }

    /// The writer's thread, for callers that join it after the app is dropped.
    #[must_use]
    pub fn take_writer_thread(&self) -> Option<std::thread::JoinHandle<()>> {
        self.writer_thread.lock().take()
    }
}
