//! The daemon as a value: build, start, drain. The program is a thin shell around it, and tests
//! and the demo embed the very same thing.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result};
use arc_swap::ArcSwap;
use tocsin_core::command::Delays;
use tocsin_core::{IncidentId, Timestamp};
use tocsin_plugin_host::{GlobalPolicy, HostConfig, PluginGrant, PluginHost};
use tocsin_store::Store;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::auth::{AckKey, AckLinks};
use crate::config::Config;
use crate::health::{Heartbeat, RelayProbe, Subject, watch};
use crate::mail::Mailer;
use crate::metrics::Metrics;
use crate::people::ResponderLookup;
use crate::plugins::{DaemonServices, PluginAccess, granted};
use crate::runtime::engine::Engine;
use crate::runtime::intake::assess::Assessor;
use crate::runtime::{
    Channels, Clock, Due, EngineHandle, Intake, Leases, Outbox, Payloads, Policies, Reload, Rooms,
    Silences, Subscribers, Tokens, View, Writer,
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
    /// The configuration.
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
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// The plugins.
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
    /// Builds a daemon on its store and loads its plugins. A plugin that cannot be loaded is
    /// reported and left out: pages go on by the other contacts.
    ///
    /// # Errors
    /// When the store is damaged or a thread cannot be started.
    pub async fn build(config: Config, ingredients: Ingredients) -> Result<Arc<Self>> {
        let Ingredients {
            clock,
            store,
            cache,
            policies_kept,
            ack_key,
        } = ingredients;
        let config = Arc::new(config);
        let subscribers = Arc::new(ArcSwap::from_pointee(Subscribers::default()));
        let metrics = Arc::new(Metrics::default());
        let engine = engine(&store, &subscribers, &config)?;
        let (view, leases) = (engine.view(), engine.leases());
        let woken = Arc::new(Notify::new());
        let commits = Arc::clone(&metrics.commits);
        let (writer, thread) =
            Writer::start(engine, Arc::clone(&clock), Arc::clone(&woken), commits)
                .context("the writer's thread cannot be started")?;
        let base = EngineHandle {
            clock,
            view,
            writer,
            metrics,
        };
        let ack_links = Arc::new(AckLinks::new(ack_key, config.server.base_url()));
        let payloads = Payloads {
            roster: Arc::new(config.roster()),
            base_url: config.server.base_url(),
            ack_links: Arc::clone(&ack_links),
        };
        let policies = Policies::load(&config.policy.path, policies_kept.as_deref());
        let policies = Arc::new(policies);
        let silences = Arc::new(Silences::load(store.as_ref())?);
        let assessor = assessor(
            &config,
            &policies,
            &payloads,
            &silences,
            &subscribers,
            &base,
        );
        let assessor = Arc::new(assessor);
        let intake = Arc::new(Intake::new(base.clone(), Arc::clone(&assessor)));
        let access = PluginAccess::new(&base, &intake, &payloads, &subscribers);
        let (host, plugin_faults) = host(&config, cache, access).await?;
        subscribers.store(Arc::new(granted(&host.plugins())));
        let mailer = config
            .mail
            .as_ref()
            .map(Mailer::new)
            .transpose()?
            .map(Arc::new);
        let channels = Channels {
            plugins: Arc::clone(&host),
            payloads: payloads.clone(),
            mailer: mailer.clone(),
        };
        let outbox = Arc::new(Outbox::new(base.clone(), channels, Arc::clone(&woken)));
        let rooms = Rooms {
            intake: Arc::clone(&intake),
            outbox: Arc::clone(&outbox),
            plugins: Arc::clone(&host),
            leases: Arc::clone(&leases),
            silences: Arc::clone(&silences),
        };
        let due = Arc::new(Due::new(base.clone(), rooms, woken));
        let plugin_faults: Arc<[_]> = plugin_faults.into();
        let health = Subject {
            config: Arc::clone(&config),
            clock: Arc::clone(&base.clock),
            store: Arc::clone(&store),
            view: Arc::clone(&base.view),
            leases: Arc::clone(&leases),
            writer: base.writer.clone(),
            assessor,
            metrics: Arc::clone(&base.metrics),
            host: Arc::clone(&host),
            plugin_faults: Arc::clone(&plugin_faults),
            due: Arc::clone(&due),
            heartbeat: config.heartbeat.as_ref().map(Heartbeat::new).transpose()?,
            relay: mailer.map(RelayProbe::new),
        };
        Ok(Arc::new(Self {
            started_at: base.clock.now(),
            due,
            tokens: Arc::new(Tokens::load(store.as_ref())?),
            health: Arc::new(health),
            config,
            clock: base.clock,
            store,
            view: base.view,
            writer: base.writer,
            metrics: base.metrics,
            leases,
            silences,
            intake,
            outbox,
            subscribers,
            payloads,
            host,
            policies,
            ack_links,
            plugin_faults,
            ready: AtomicBool::new(false),
            stop: CancellationToken::new(),
            writer_thread: parking_lot::Mutex::new(Some(thread)),
        }))
    }

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
        if let Err(error) = self.tokens.follow(self.store.as_ref()) {
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

fn engine(
    store: &Arc<dyn Store>,
    subscribed: &Arc<ArcSwap<Subscribers>>,
    config: &Config,
) -> Result<Engine> {
    let (store, subscribed) = (Arc::clone(store), Arc::clone(subscribed));
    let delays = delays_of(config);
    let started = Engine::start(store, subscribed, delays, Box::new(new_incident_id));
    started.context("the store cannot be loaded; run `tocsin verify`")
}

fn assessor(
    config: &Config,
    policies: &Arc<Policies>,
    payloads: &Payloads,
    silences: &Arc<Silences>,
    subscribers: &Arc<ArcSwap<Subscribers>>,
    base: &EngineHandle,
) -> Assessor {
    let responders = ResponderLookup {
        roster: Arc::clone(&payloads.roster),
        served: Arc::clone(subscribers) as _,
        has_mail: config.mail.is_some(),
    };
    Assessor {
        policies: Arc::clone(policies),
        responders,
        silences: Arc::clone(silences),
        view: Arc::clone(&base.view),
        grade_labels: config.policy.grade_labels.clone(),
        zone: config.policy.timezone.0,
        fallback: config.escalation.fallback.clone(),
        delays: delays_of(config),
        metrics: Arc::clone(&base.metrics),
        context: parking_lot::Mutex::default(),
        failures: parking_lot::Mutex::default(),
    }
}

/// The plugins' host with its plugins, and those that cannot be loaded.
async fn host(
    config: &Config,
    cache_dir: Option<PathBuf>,
    access: PluginAccess,
) -> Result<(Arc<PluginHost>, Vec<(String, String)>)> {
    let host_config = HostConfig {
        cache_dir,
        cache_key: None,
        policy: GlobalPolicy::default(),
    };
    let services = Arc::new(DaemonServices::new(access));
    let host = Arc::new(PluginHost::new(host_config, services)?);
    let faults = load_plugins(&host, config).await;
    Ok((host, faults))
}

async fn load_plugins(host: &PluginHost, config: &Config) -> Vec<(String, String)> {
    let mut faults = Vec::new();
    for (id, table) in &config.plugins {
        let grant = table.clone().try_into::<PluginGrant>();
        let loaded = match grant {
            Ok(grant) => host
                .load(id.as_str(), grant)
                .await
                .map_err(|error| error.to_string()),
            Err(error) => Err(format!("[plugins.{id}]: {error}")),
        };
        match loaded {
            Ok(plugin) => tracing::info!(plugin = plugin.id(), "plugin loaded"),
            Err(why) => {
                tracing::error!(plugin = %id, why, "a plugin cannot be loaded and is left out");
                faults.push((id.to_string(), why));
            }
        }
    }
    faults
}

fn delays_of(config: &Config) -> Delays {
    Delays {
        resolve_after_ms: config.incidents.resolve_after.as_ms(),
        reopen_within_ms: config.incidents.reopen_within.as_ms(),
        contact_wait_ms: config.escalation.contact_wait.as_ms(),
    }
}

/// A UUID of version 7: ids sort by the time of opening.
fn new_incident_id(now: Timestamp) -> IncidentId {
    let ms = u64::try_from(now.0).unwrap_or(0);
    let nanos = u32::try_from(ms % 1_000).unwrap_or(0) * 1_000_000;
    let at = uuid::Timestamp::from_unix(uuid::NoContext, ms / 1_000, nanos);
    IncidentId(uuid::Uuid::new_v7(at).to_string())
}
