//! The incident engine: pure decisions over values.
//!
//! `decide` turns a command into events and `fold` turns events into state. Time, ids, people on
//! call and the policies' verdicts arrive as values; what a decision makes durable leaves as
//! values. Nothing here can wait, fail on IO or read a clock, so a night of escalation is tested
//! in milliseconds, and a simulation with one seed always does the same.

#![forbid(unsafe_code)]

mod actor;
pub mod alert;
pub mod command;
pub mod consequences;
mod decide;
mod draft;
pub mod event;
mod grade;
mod ids;
pub mod incident;
pub mod intake;
pub mod limits;
mod narrate;
mod person;
mod signal;
pub mod time;
mod verdict;

pub use actor::Actor;
pub use alert::Alert;
pub use decide::{cut, decide};
pub use draft::{Draft, open_by_hand};
pub use event::{Event, Recorded};
pub use grade::{Grade, Status, UnknownGrade, UnknownStatus};
pub use ids::{
    Fingerprint, IncidentId, IncidentKey, IntegrationId, PageId, PersonId, PluginId, TeamId,
};
pub use incident::Incident;
pub use intake::decide_signal;
pub use narrate::narrate;
pub use person::{Contact, Person};
pub use signal::{Labels, Signal, SignalStatus};
pub use time::Timestamp;
pub use verdict::{
    Grading, PageTarget, Plan, PolicySource, Route, Step, Target, UnknownPageTarget, Verdict,
};
