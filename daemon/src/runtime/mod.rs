//! The only place with a clock, tasks and retries. It drives the core: signals and commands go
//! to the one writer, timers that are due come back as commands, deliveries go out and their
//! outcomes come back. Everything that is due is a row; what is in memory is only what was read.

pub mod clock;
pub mod due;
pub mod engine;
pub mod intake;
pub mod outbox;
pub mod run_to_completion;
pub mod state;

use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use tocsin_store::Store;
use tokio::sync::Notify;
use tokio_util::task::TaskTracker;

pub use clock::{Clock, FastClock, ManualClock, SystemClock};
pub use due::sweep::lapses;
pub use due::timers::firing;
pub use due::turn::Turn;
pub use engine::layout::{reference_key, timer_key};
pub use engine::request::{Answer, Cause, Done, EngineError, Request, Write};
pub use engine::writer::{Pending, Writer};
pub use intake::failures::PolicyFailures;
pub use intake::local_time::local_time;
pub use intake::policies::{Policies, Reload};
pub use intake::pool::POLICY_CALLS_MAX;
pub use intake::{Accepted, Observed};
pub use outbox::backoff::{RetryPolicy, retry_at};
pub use outbox::delivery::{Delivery, MAIL_CHANNEL, Subscriber, Subscribers};
pub use outbox::outcome::{End, Ended, PageRef, Settlement, settlement};
pub(crate) use outbox::outcome::{job_lanes, job_row};
pub use outbox::payload::Payloads;
pub(crate) use run_to_completion::run_to_completion;
pub use state::leases::Leases;
pub use state::silences::{SilenceError, Silences};
pub(crate) use state::tables::change::change_key;
pub use state::tables::change::newest_changes;
pub use state::tables::summary::Summary;
pub use state::view::{
    IncidentState, View, decode_row, events_of, for_each_row, for_each_row_after, stream_of,
    tally_of,
};

use crate::mail::Mailer;
use crate::metrics::Metrics;
use intake::assess::Assessor;
use tocsin_plugin_host::PluginHost;

/// The running daemon without its doors.
pub struct Runtime {
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// What is durable.
    pub store: Arc<dyn Store>,
    /// Incidents and alerts, as they are durable.
    pub view: Arc<View>,
    /// When alerts end by themselves.
    pub leases: Arc<Leases>,
    /// The way to the one writer.
    pub writer: Writer,
    /// Policies, people and silences.
    pub assessor: Arc<Assessor>,
    /// The silences in force.
    pub silences: Arc<Silences>,
    /// Who hears of what.
    pub subscribers: Arc<ArcSwap<Subscribers>>,
    /// What payloads are made of.
    pub payloads: Payloads,
    /// Plugins. Set once after the host has started, since the host calls back into the runtime.
    pub plugins: std::sync::OnceLock<Arc<PluginHost>>,
    /// The host's own mail relay.
    pub mailer: Option<Arc<Mailer>>,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// Wakes the loop when something may have become due.
    pub woken: Arc<Notify>,
    /// When it was made: what happened before, it did not hear.
    pub started_at: tocsin_core::Timestamp,
    slots: due::turn::Slots,
    pub(crate) deliveries: TaskTracker,
    policy_calls: intake::pool::PolicyPool,
    pub(crate) next_sweep: AtomicI64,
    pub(crate) sweep_after: Mutex<String>,
}

/// What a runtime is made of.
pub struct Parts {
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// What is durable.
    pub store: Arc<dyn Store>,
    /// The way to the one writer.
    pub writer: Writer,
    /// Incidents and alerts, as they are durable.
    pub view: Arc<View>,
    /// When alerts end by themselves.
    pub leases: Arc<Leases>,
    /// Policies, people and silences.
    pub assessor: Arc<Assessor>,
    /// Who hears of what.
    pub subscribers: Arc<ArcSwap<Subscribers>>,
    /// What payloads are made of.
    pub payloads: Payloads,
    /// The host's own mail relay.
    pub mailer: Option<Arc<Mailer>>,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// Wakes the loop when something may have become due.
    pub woken: Arc<Notify>,
}

impl Runtime {
    /// A runtime; nothing runs until [`run`](Self::run) or [`turn`](Self::turn).
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let silences = Arc::clone(&parts.assessor.silences);
        Self {
            started_at: parts.clock.now(),
            clock: parts.clock,
            store: parts.store,
            view: parts.view,
            leases: parts.leases,
            writer: parts.writer,
            assessor: parts.assessor,
            silences,
            subscribers: parts.subscribers,
            payloads: parts.payloads,
            plugins: std::sync::OnceLock::new(),
            mailer: parts.mailer,
            metrics: parts.metrics,
            woken: parts.woken,
            slots: due::turn::Slots::default(),
            deliveries: TaskTracker::new(),
            policy_calls: intake::pool::PolicyPool::default(),
            next_sweep: AtomicI64::new(i64::MIN),
            sweep_after: Mutex::new(String::new()),
        }
    }
}
