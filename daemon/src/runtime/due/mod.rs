//! Timers, plugins' schedules, and the sweep over alerts.

mod handovers;
mod reviews;
pub mod schedules;
mod shifts;
mod silence_ends;
pub mod silencing;
pub mod sweep;
mod switches;
pub mod timers;
pub mod turn;

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use parking_lot::Mutex;
use tocsin_core::{IncidentId, Timestamp};
use tocsin_plugin_host::PluginHost;
use tokio::sync::Notify;

use crate::metrics::Metrics;
use crate::runtime::clock::Clock;
use crate::runtime::due::silencing::Round;
use crate::runtime::engine::handle::EngineHandle;
use crate::runtime::engine::writer::Writer;
use crate::runtime::error::EngineError;
use crate::runtime::intake::Intake;
use crate::runtime::outbox::Outbox;
use crate::runtime::registry::silences::Silences;
use crate::runtime::state::leases::Leases;
use crate::runtime::state::view::View;

/// Fires timers, starts deliveries and sweeps alerts when they are due.
pub struct Due {
    clock: Arc<dyn Clock>,
    view: Arc<View>,
    writer: Writer,
    intake: Arc<Intake>,
    outbox: Arc<Outbox>,
    plugins: Arc<PluginHost>,
    leases: Arc<Leases>,
    silences: Arc<Silences>,
    metrics: Arc<Metrics>,
    woken: Arc<Notify>,
    /// Alerts received before this time were received by an earlier process.
    started_at: Timestamp,
    next_sweep: AtomicI64,
    sweep_after: Mutex<String>,
    incidents: reviews::Round<IncidentId>,
    kept_out: reviews::Round<String>,
    silencing: tokio::sync::Mutex<Round>,
    /// Silences whose end was logged.
    reported_silences: Mutex<HashSet<String>>,
    shifts: Mutex<shifts::ShiftWatch>,
}

/// What timers, deliveries and sweeps use.
pub struct DueDependencies {
    /// Signals that the sweep makes.
    pub intake: Arc<Intake>,
    pub outbox: Arc<Outbox>,
    /// Plugins, for their schedules.
    pub plugins: Arc<PluginHost>,
    /// When firing alerts expire.
    pub leases: Arc<Leases>,
    /// The silences in force.
    pub silences: Arc<Silences>,
}

impl Due {
    /// Sets the timers of plugins' schedules and the dead man's switches that are missing, and
    /// removes those that are no longer wanted.
    ///
    /// # Errors
    /// [`EngineError`] when the store or the engine fails.
    pub async fn arm(&self) -> Result<(), EngineError> {
        self.arm_schedules().await?;
        self.arm_switches().await
    }

    /// Nothing runs until [`run`](Self::run), [`run_sweeps`](Self::run_sweeps) or
    /// [`turn`](Self::turn). `woken` ends the loop's sleep.
    #[must_use]
    pub fn new(base: EngineHandle, dependencies: DueDependencies, woken: Arc<Notify>) -> Self {
        let EngineHandle {
            clock,
            view,
            writer,
            metrics,
        } = base;
        Self {
            started_at: clock.now(),
            clock,
            view,
            writer,
            metrics,
            intake: dependencies.intake,
            outbox: dependencies.outbox,
            plugins: dependencies.plugins,
            leases: dependencies.leases,
            silences: dependencies.silences,
            woken,
            next_sweep: AtomicI64::new(i64::MIN),
            sweep_after: Mutex::new(String::new()),
            incidents: reviews::Round::default(),
            kept_out: reviews::Round::default(),
            silencing: tokio::sync::Mutex::default(),
            reported_silences: Mutex::default(),
            shifts: Mutex::default(),
        }
    }
}
