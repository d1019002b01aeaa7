//! The incident engine: pure decisions over values.
//!
//! `decide` turns a command into events and `fold` turns events into state. Time, ids, people on
//! call and the policies' verdicts arrive as values; what a decision makes durable leaves as
//! values. Nothing here can wait, fail on IO or read a clock, so a night of escalation is tested
//! in milliseconds, and a simulation with one seed always does the same.
//!
//! A folder is a topic: its part of an incident's state, and how its commands are decided, its
//! events folded and narrated, and its timers and notices found.

#![forbid(unsafe_code)]

mod actor;
pub mod consequences;
mod decide;
mod escalation;
pub mod event;
mod grading;
mod ids;
pub mod incident;
pub mod intake;
mod lifecycle;
pub mod limits;
mod log;
mod narrate;
mod notice;
mod outcome;
mod paging;
mod person;
mod refusal;
mod roles;
mod signal;
mod text;
pub mod time;
mod timer;
mod verdict;

/// What can be asked of an incident, and what it comes to.
pub mod command {
    pub use crate::decide::Command;
    pub use crate::outcome::{Delays, Env, Opening, Outcome, Responders};
    pub use crate::paging::Channels;
    pub use crate::refusal::Refusal;
}

pub use actor::Actor;
pub use decide::decide;
pub use escalation::{PageTarget, Plan, Step, UnknownPageTarget};
pub use event::{Event, Recorded};
pub use grading::{Grade, Grading, UnknownGrade};
pub use ids::{
    Fingerprint, IncidentId, IncidentKey, IntegrationId, PageId, PersonId, PluginId, TeamId,
};
pub use incident::{Draft, Incident, open_by_hand};
pub use intake::alert::{self, Alert};
pub use intake::{Route, Target, decide_signal};
pub use lifecycle::{Status, UnknownStatus};
pub use narrate::narrate;
pub use person::{Contact, Person};
pub use signal::{Labels, Signal, SignalStatus};
pub use text::cut;
pub use time::Timestamp;
pub use verdict::{PolicySource, Verdict};
