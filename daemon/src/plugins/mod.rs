//! The daemon's side of plugins: one file per capability, and what each plugin was granted.

mod commands;
mod effects;
mod jobs;
mod kv;
mod mail;
mod people;
mod services;

pub use services::DaemonServices;

use std::sync::Arc;

use arc_swap::ArcSwap;
use tocsin_store::Store;

use tocsin_plugin_host::{EventKind, LoadedPlugin};

use crate::actions::oncall::OnCallDesk;
use crate::mail::Relays;
use crate::metrics::Metrics;
use crate::runtime::{
    Clock, EngineHandle, Intake, OnCall, Payloads, Silences, Subscriber, Subscribers, View, Writer,
};

/// The parts of the daemon that plugins use.
#[derive(Clone)]
pub struct PluginAccess {
    /// The daemon's clock.
    pub clock: Arc<dyn Clock>,
    /// For the rows of plugins.
    pub store: Arc<dyn Store>,
    /// The durable state of incidents and alerts.
    pub view: Arc<View>,
    pub writer: Writer,
    /// Accepts their commands.
    pub intake: Arc<Intake>,
    /// Makes overrides, and knows those of every engine.
    pub on_call: Arc<OnCall>,
    pub silences: Arc<Silences>,
    /// Builds what a plugin may see of incidents and people.
    pub payloads: Payloads,
    /// What each plugin was granted.
    pub subscribers: Arc<ArcSwap<Subscribers>>,
    /// Through which their mails go.
    pub relays: Relays,
    /// Counters for `/metrics`.
    pub metrics: Arc<Metrics>,
}

impl PluginAccess {
    /// The parts of a daemon that plugins use.
    #[must_use]
    pub fn new(
        base: &EngineHandle,
        (intake, on_call, silences): (&Arc<Intake>, &Arc<OnCall>, &Arc<Silences>),
        payloads: &Payloads,
        subscribers: &Arc<ArcSwap<Subscribers>>,
        relays: Relays,
    ) -> Self {
        Self {
            clock: Arc::clone(&base.clock),
            store: base.view.shared_store(),
            view: Arc::clone(&base.view),
            writer: base.writer.clone(),
            metrics: Arc::clone(&base.metrics),
            intake: Arc::clone(intake),
            on_call: Arc::clone(on_call),
            silences: Arc::clone(silences),
            payloads: payloads.clone(),
            subscribers: Arc::clone(subscribers),
            relays,
        }
    }
}

impl PluginAccess {
    /// What commands about who is on call need.
    fn desk(&self) -> OnCallDesk {
        OnCallDesk {
            on_call: Arc::clone(&self.on_call),
            responders: self.intake.responders().clone(),
            view: Arc::clone(&self.view),
            writer: self.writer.clone(),
            now: self.clock.now(),
        }
    }
}

#[must_use]
pub fn granted(plugins: &[LoadedPlugin]) -> Subscribers {
    let one = |plugin: &LoadedPlugin| {
        let wanted = EventKind::ALL
            .into_iter()
            .filter(|kind| plugin.wants(*kind));
        Subscriber {
            plugin: plugin.id().into(),
            events: wanted.collect(),
            contacts: plugin.contacts().into_iter().collect(),
            clearance: plugin.clearance(),
        }
    };
    Subscribers(plugins.iter().map(one).collect())
}
