//! Builds a daemon: first the engine on its store, then policies and plugins, then deliveries and
//! timers.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::{Context as _, Result, bail};
use arc_swap::ArcSwap;
use tocsin_core::command::Delays;
use tocsin_core::{IncidentId, Timestamp};
use tocsin_plugin_host::{GlobalPolicy, HostConfig, PluginGrant, PluginHost};
use tocsin_store::Store;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{App, Ingredients};
use crate::auth::AckLinks;
use crate::config::{self, Config, ExpectConfig, IntegrationConfig, Span};
use crate::health::{Foresight, Heartbeat, RelayProbe, Subject};
use crate::mail::Relays;
use crate::metrics::Metrics;
use crate::people::ResponderLookup;
use crate::plugins::{DaemonServices, PluginAccess, granted};
use crate::runtime::engine::Engine;
use crate::runtime::intake::assess::Assessor;
use crate::runtime::intake::expected::Expectation;
use crate::runtime::intake::senders::{SenderRules, Senders};
use crate::runtime::{
    Calendars, Clock, Due, DueDependencies, EngineHandle, Inbound, Intake, Leases, OnCall, Outbox,
    Payloads, Policies, Silences, Sns, Subscribers, Tokens, Transports, Writer,
};

struct RunningEngine {
    base: EngineHandle,
    store: Arc<dyn Store>,
    leases: Arc<Leases>,
    subscribers: Arc<ArcSwap<Subscribers>>,
    woken: Arc<Notify>,
    writer_thread: std::thread::JoinHandle<()>,
}

/// What deliveries, timers and health checks use, built before them.
struct Services {
    payloads: Payloads,
    silences: Arc<Silences>,
    on_call: Arc<OnCall>,
    calendars: Arc<Calendars>,
    assessor: Arc<Assessor>,
    intake: Arc<Intake>,
    host: Arc<PluginHost>,
    relays: Relays,
}

impl App {
    /// Builds a daemon on its store and loads its plugins. A plugin that cannot be loaded is
    /// reported and left out; pages then use the other contacts.
    ///
    /// # Errors
    /// When the store is damaged or a thread cannot be started.
    pub async fn build(config: Config, ingredients: Ingredients) -> Result<Arc<Self>> {
        let config = Arc::new(config);
        let engine = RunningEngine::on(ingredients.store, ingredients.clock, &config)?;
        let (base, subscribers) = (engine.base.clone(), Arc::clone(&engine.subscribers));
        let ack_links = AckLinks::new(ingredients.ack_key, config.server.base_url());
        let ack_links = Arc::new(ack_links);
        let payloads = Payloads {
            roster: Arc::new(config.roster()),
            base_url: config.server.base_url(),
            ack_links: Arc::clone(&ack_links),
        };
        let policies = Arc::new(policies_of(&config, ingredients.policies_kept.as_deref()));
        let silences = Arc::new(Silences::load(Arc::clone(&engine.store))?);
        let (on_call, calendars) = engine.on_call(&config, &payloads)?;
        let assessor = engine.assessor(&config, &policies, &on_call, &silences);
        let intake = Arc::new(Intake::new(
            base.clone(),
            Arc::clone(&assessor),
            senders_of(&config),
        ));
        let used = (&intake, &on_call, &silences);
        let relays = Relays::new(&config)?;
        let access = PluginAccess::new(&base, used, &payloads, &subscribers, relays.clone());
        let (host, plugin_faults) = host(&config, ingredients.cache, access).await?;
        subscribers.store(Arc::new(granted(&host.plugins())));
        let services = Services {
            payloads,
            silences,
            on_call,
            calendars,
            assessor,
            intake,
            host,
            relays,
        };
        let (mut health, outbox) = engine.outbox_and_health(&config, &services)?;
        health.plugin_faults = plugin_faults.into();
        Ok(Arc::new(Self {
            started_at: base.clock.now(),
            due: Arc::clone(&health.due),
            tokens: Arc::new(Tokens::load(Arc::clone(&engine.store))?),
            plugin_faults: Arc::clone(&health.plugin_faults),
            health: Arc::new(health),
            config,
            inbound: Inbound::new(base.clone()),
            sns: Sns::default(),
            clock: base.clock,
            store: engine.store,
            view: base.view,
            writer: base.writer,
            metrics: base.metrics,
            leases: engine.leases,
            silences: services.silences,
            on_call: services.on_call,
            calendars: services.calendars,
            intake: services.intake,
            outbox,
            subscribers,
            payloads: services.payloads,
            host: services.host,
            policies,
            ack_links,
            ready: AtomicBool::new(false),
            stop: CancellationToken::new(),
            writer_thread: parking_lot::Mutex::new(Some(engine.writer_thread)),
        }))
    }

    /// Builds a daemon inside another program, from the text of its configuration, whose paths are
    /// relative to `folder`. Fails if a plugin cannot be loaded.
    ///
    /// # Errors
    /// As [`build`](Self::build), and when the configuration is wrong or a plugin cannot be loaded.
    pub async fn embed(text: &str, folder: &Path, ingredients: Ingredients) -> Result<Arc<Self>> {
        let loaded = config::parse(text, "tocsin.toml", folder)?;
        let app = Self::build(loaded.config, ingredients).await?;
        if let Some((plugin, why)) = app.plugin_faults.first() {
            bail!("plugin {plugin} cannot be loaded: {why}");
        }
        Ok(app)
    }
}

impl RunningEngine {
    /// Starts the engine and its writer.
    fn on(store: Arc<dyn Store>, clock: Arc<dyn Clock>, config: &Config) -> Result<Self> {
        let subscribers = Arc::new(ArcSwap::from_pointee(Subscribers::default()));
        let metrics = Arc::new(Metrics::default());
        let engine = Engine::start(
            Arc::clone(&store),
            Arc::clone(&subscribers),
            delays_of(config),
            Box::new(new_incident_id),
        );
        let engine = engine.context("cannot load the store; run `tocsin verify`")?;
        let (view, leases) = (engine.view(), engine.leases());
        let woken = Arc::new(Notify::new());
        let commits = Arc::clone(&metrics.commits);
        let (writer, writer_thread) =
            Writer::start(engine, Arc::clone(&clock), Arc::clone(&woken), commits)
                .context("cannot start the writer's thread")?;
        Ok(Self {
            base: EngineHandle {
                clock,
                view,
                writer,
                metrics,
            },
            store,
            leases,
            subscribers,
            woken,
            writer_thread,
        })
    }

    /// Who is on call, and the calendars that say who is out of office.
    fn on_call(
        &self,
        config: &Config,
        payloads: &Payloads,
    ) -> Result<(Arc<OnCall>, Arc<Calendars>)> {
        let (store, roster) = (Arc::clone(&self.store), Arc::clone(&payloads.roster));
        let on_call = Arc::new(OnCall::load(store, roster, config)?);
        let (clock, writer) = (Arc::clone(&self.base.clock), self.base.writer.clone());
        let calendars = Calendars::new(config, clock, Arc::clone(&on_call), writer)
            .context("cannot set up the reading of calendars")?;
        Ok((on_call, Arc::new(calendars)))
    }

    fn assessor(
        &self,
        config: &Config,
        policies: &Arc<Policies>,
        on_call: &Arc<OnCall>,
        silences: &Arc<Silences>,
    ) -> Arc<Assessor> {
        let responders = ResponderLookup {
            rosters: Arc::clone(on_call) as _,
            served: Arc::clone(&self.subscribers) as _,
            has_mail: config.mail.is_some(),
        };
        Arc::new(Assessor {
            policies: Arc::clone(policies),
            responders,
            silences: Arc::clone(silences),
            view: Arc::clone(&self.base.view),
            leases: Arc::clone(&self.leases),
            zone: config.policy.timezone.0,
            fallback: config.escalation.fallback.clone(),
            delays: delays_of(config),
            metrics: Arc::clone(&self.base.metrics),
            context: parking_lot::Mutex::default(),
            failures: parking_lot::Mutex::default(),
        })
    }

    /// Builds deliveries and timers, and what health checks read.
    fn outbox_and_health(
        &self,
        config: &Arc<Config>,
        services: &Services,
    ) -> Result<(Subject, Arc<Outbox>)> {
        let mailer = services.relays.main();
        let transports = Transports {
            plugins: Arc::clone(&services.host),
            payloads: services.payloads.clone(),
            mailer: mailer.clone(),
        };
        let (base, woken) = (&self.base, &self.woken);
        let outbox = Arc::new(Outbox::new(base.clone(), transports, Arc::clone(woken)));
        let dependencies = DueDependencies {
            intake: Arc::clone(&services.intake),
            outbox: Arc::clone(&outbox),
            plugins: Arc::clone(&services.host),
            leases: Arc::clone(&self.leases),
            silences: Arc::clone(&services.silences),
        };
        let health = Subject {
            config: Arc::clone(config),
            clock: Arc::clone(&base.clock),
            store: Arc::clone(&self.store),
            view: Arc::clone(&base.view),
            leases: Arc::clone(&self.leases),
            writer: base.writer.clone(),
            assessor: Arc::clone(&services.assessor),
            calendars: Arc::clone(&services.calendars),
            foresight: Foresight::default(),
            metrics: Arc::clone(&base.metrics),
            host: Arc::clone(&services.host),
            plugin_faults: Arc::from([]),
            due: Arc::new(Due::new(base.clone(), dependencies, Arc::clone(woken))),
            heartbeat: config.heartbeat.as_ref().map(Heartbeat::new).transpose()?,
            relay: mailer.map(RelayProbe::new),
        };
        Ok((health, outbox))
    }
}

fn policies_of(config: &Config, kept: Option<&Path>) -> Policies {
    let policy = &config.policy;
    Policies::load(&policy.path, kept, policy.require_tests)
}

/// The plugin host with the loaded plugins, and the plugins that could not be loaded.
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
        bundle_window_ms: config.escalation.bundle_window.as_ms(),
        pages_max: config.escalation.pages_max,
        approach_after_ms: Some(config.incidents.ask_approach_after.as_ms()).filter(|ms| *ms > 0),
        suspect_within_ms: config.incidents.suspect_changes_within.as_ms(),
    }
}

fn senders_of(config: &Config) -> Senders {
    let expectation = |it: &ExpectConfig| Expectation {
        labels: it.labels.clone(),
        every_ms: it.every.as_ms(),
    };
    let rules = |it: &IntegrationConfig| SenderRules {
        expected: it.expect.0.iter().map(expectation).collect(),
        sender: it.sender(),
        resolve_after_silence_ms: it.resolve_after_silence.map(Span::as_ms),
    };
    let integrations = config.integrations.iter();
    integrations
        .map(|(id, it)| (id.clone(), rules(it)))
        .collect()
}

/// A UUID version 7, so that IDs sort by opening time.
fn new_incident_id(now: Timestamp) -> IncidentId {
    let ms = u64::try_from(now.0).unwrap_or(0);
    let nanos = u32::try_from(ms % 1_000).unwrap_or(0) * 1_000_000;
    let at = uuid::Timestamp::from_unix(uuid::NoContext, ms / 1_000, nanos);
    IncidentId(uuid::Uuid::new_v7(at).to_string())
}
