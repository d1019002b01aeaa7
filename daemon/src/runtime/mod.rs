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
pub use engine::layout::timer_key;
pub use engine::request::{Answer, Cause, Done, EngineError, Request, Write};
pub use engine::writer::{Pending, Writer};
pub use intake::assess::Assessor;
pub use intake::failures::PolicyFailures;
pub use intake::policies::{Policies, Reload};
pub use intake::pool::POLICY_CALLS_MAX;
pub use intake::{Accepted, Intake, Observed};
pub use outbox::backoff::{RetryPolicy, retry_at};
pub use outbox::delivery::{Delivery, MAIL_CHANNEL, Subscriber, Subscribers};
pub use outbox::outcome::{End, Ended, PageRef, Settlement, settlement};
pub(crate) use outbox::outcome::{job_lanes, job_row};
pub use outbox::payload::Payloads;
pub use outbox::{Channels, Outbox};
pub use state::leases::Leases;
pub use state::silences::{SilenceError, Silences};
pub use state::tables::change::newest_changes;
pub use state::tables::reference::reference_key;
pub use state::tables::summary::Summary;
pub use state::tables::tally::tally_of;
pub use state::tables::{RowWrites, decode_row};
pub use state::tokens::{TokenError, Tokens};
pub use state::view::{IncidentState, View, events_of, stream_of};

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
