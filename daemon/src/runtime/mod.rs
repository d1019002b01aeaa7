//! The only place with a clock, tasks and retries. It drives the core: signals and commands go
//! to the one writer, timers that are due come back as commands, deliveries go out and their
//! outcomes come back. Everything that is due is a row; what is in memory is only what was read.

pub mod assess;
mod backoff;
mod changes;
pub mod clock;
pub mod crew;
mod deliver;
pub mod engine;
mod failures;
mod intake;
mod last_good;
mod layout;
mod leases;
mod local_time;
mod mailing;
mod outcome;
mod parcel;
mod payload;
mod plan;
mod policies;
mod pool;
mod request;
mod schedules;
mod silences;
mod summary;
mod sweep;
mod timers;
mod turn;
mod unbroken;
mod view;
mod writer;

use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use tocsin_store::Store;
use tokio::sync::Notify;
use tokio_util::task::TaskTracker;

pub use backoff::{RetryPolicy, retry_at};
pub(crate) use changes::change_key;
pub use changes::newest_changes;
pub use clock::{Clock, FastClock, ManualClock, SystemClock};
pub use failures::PolicyFailures;
pub use intake::{Heard, Taken};
pub use layout::{reference_key, timer_key};
pub use leases::Leases;
pub use local_time::local_time;
pub use outcome::{End, Ended, PageRef, Settlement, settlement};
pub(crate) use outcome::{job_lanes, job_row};
pub use parcel::{MAIL_CHANNEL, Parcel, Subscriber, Subscribers};
pub use payload::{Payloads, REDACTED_TITLE, wire_incident};
pub use policies::{Policies, Reload};
pub use pool::POLICY_CALLS_MAX;
pub use request::{Answer, Cause, Done, EngineError, Request, Write};
pub use silences::{SilenceError, Silences};
pub use summary::Summary;
pub use sweep::lapses;
pub use timers::firing;
pub use turn::Turn;
pub(crate) use unbroken::unbroken;
pub use view::{
    Held, View, decode_row, events_of, for_each_row, for_each_row_after, stream_of, tally_of,
};
pub use writer::{Pending, Writer};

use crate::mail::Mailer;
use crate::metrics::Metrics;
use assess::Assessor;
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
    slots: turn::Slots,
    pub(crate) deliveries: TaskTracker,
    policy_calls: pool::PolicyPool,
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
            slots: turn::Slots::default(),
            deliveries: TaskTracker::new(),
            policy_calls: pool::PolicyPool::default(),
            next_sweep: AtomicI64::new(i64::MIN),
            sweep_after: Mutex::new(String::new()),
        }
    }
}
