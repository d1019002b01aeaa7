//! Drives the core, with a clock, tasks and retries: signals and commands go to the single writer,
//! due timers become commands, deliveries are sent and their outcomes recorded. Everything due is
//! a row in the store; memory is only a cache.

pub mod calendars;
pub mod clock;
pub mod delivery;
pub mod due;
pub mod engine;
pub mod error;
pub mod inbound;
pub mod intake;
pub mod outbox;
pub mod registry;
pub mod run_to_completion;
pub mod state;

pub use calendars::{CALENDAR_EVERY_MS, CalendarState, Calendars};
pub use clock::{Clock, FastClock, ManualClock, SystemClock};
pub use delivery::{Delivery, MAIL_CHANNEL, Subscriber, Subscribers};
pub use due::schedules::{SCHEDULE_TIMER, arming, schedule_timer, ticking};
pub use due::silencing::{SilencingPage, silencing_page};
pub use due::sweep::{ended_by_hand, lapses, merges, moved_aside, moving, routed_again};
pub use due::timers::{Paged, firing, gathering, reviewed, to_review};
pub use due::turn::Turn;
pub use due::{Due, DueDependencies};
pub use engine::handle::EngineHandle;
pub use engine::layout::timer_key;
pub use engine::request::{Answer, Cause, Done, NewTests, Request, TestRequest, Write};
pub use engine::writer::{Pending, Writer};
pub use engine::{PAGER_TIMER, is_wanted, person_of};
pub use error::EngineError;
pub use inbound::{Inbound, NotHandled, keep_open};
pub use intake::assess::Assessor;
pub(crate) use intake::expected::SWITCH_KEY_PART;
pub use intake::failures::PolicyFailures;
pub use intake::policies::{Policies, Reload};
pub use intake::pool::POLICY_CALLS_MAX;
pub use intake::{Accepted, Intake, Observed, plans_tried};
pub use outbox::backoff::{RetryPolicy, retry_at};
pub(crate) use outbox::outcome::job_lanes;
pub use outbox::outcome::{About, End, Ended, Settlement, settlement};
pub use outbox::payload::Payloads;
pub use outbox::telling::{MessageOutcome, OUTCOME_TIMER, all_told, outcome_timer, telling, told};
pub use outbox::{Outbox, Transports};
pub use registry::on_call::{Maker, OnCall, OverrideError};
pub use registry::silences::{SilenceError, Silences, silencing};
pub use registry::tokens::{TokenError, Tokens};
pub use state::leases::Leases;
pub use state::load::LoadReader;
pub use state::tables::absence::AbsenceRow;
pub use state::tables::change::newest_changes;
pub use state::tables::history;
pub use state::tables::pager::{BundlePart, QueuedPage, bundle, put_bundle, queued_pages};
pub use state::tables::reference::reference_key;
pub use state::tables::tally::tally_of;
pub use state::tables::{RowWrites, decode_row};
pub use state::view::{IncidentState, View, events_of, stream_of};
