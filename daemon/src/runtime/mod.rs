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

use crate::metrics::Metrics;

pub use clock::{Clock, FastClock, ManualClock, SystemClock};
pub use due::sweep::lapses;
pub use due::timers::firing;
pub use due::turn::Turn;
pub use due::{Due, Rooms};
pub use engine::layout::{reference_key, timer_key};
pub use engine::request::{Answer, Cause, Done, EngineError, Request, Write};
pub use engine::writer::{Pending, Writer};
pub use intake::assess::Assessor;
pub use intake::failures::PolicyFailures;
pub use intake::local_time::local_time;
pub use intake::policies::{Policies, Reload};
pub use intake::pool::POLICY_CALLS_MAX;
pub use intake::{Accepted, Intake, Observed};
pub use outbox::backoff::{RetryPolicy, retry_at};
pub use outbox::delivery::{Delivery, MAIL_CHANNEL, Subscriber, Subscribers};
pub use outbox::outcome::{End, Ended, PageRef, Settlement, settlement};
pub(crate) use outbox::outcome::{job_lanes, job_row};
pub use outbox::{Channels, Outbox};
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

/// What every room of the runtime works with.
#[derive(Clone)]
pub struct EngineHandle {
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Incidents and alerts, as they are durable.
    pub view: Arc<View>,
    /// The way to the one writer.
    pub writer: Writer,
    /// Counters.
    pub metrics: Arc<Metrics>,
}
