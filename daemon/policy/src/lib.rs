//! Runs Rhai policies: a value in, a verdict with its reason out.
//!
//! A policy is user code between an alert and the person on call. So it can neither harm the daemon
//! (every call has limits on operations, depth, sizes and time) nor fail silently (every failure is
//! a [`Report`] with `file:line:column`, the line, a caret and the remedy). When a policy fails,
//! [`fallback`] has a verdict that still pages somebody.

#![forbid(unsafe_code)]

mod alerts;
mod backstop;
mod bind;
pub mod calendar;
mod call;
mod candidate;
mod check;
mod comparison;
mod compiled;
mod counting;
mod day;
mod describe;
mod engine;
mod eval;
mod explore;
pub mod fallback;
mod fault;
mod helpers;
mod hints;
mod imports;
mod kind;
mod known;
mod libs;
pub mod limits;
mod lint;
mod load;
mod locate;
mod moment;
mod names;
mod operators;
mod quantity;
mod raised;
mod report;
mod script;
mod set;
mod span;
mod switches;
pub mod testing;
#[cfg(test)]
mod tests;
mod text;
pub mod trace;
mod types;
mod verdict;
mod view;
mod watch;

pub use alerts::{AlertIndex, AlertList, ListedAlert, Starts, has_labels, newest_of_each};
pub use candidate::{Candidate, CandidateLoad, Candidates};
pub use check::check;
pub use eval::{Evaluated, eval};
pub use hints::nearest;
pub use kind::Kind;
pub use names::Names;
pub use report::{LimitHit, Report, Reports};
pub use set::PolicySet;
pub use trace::{Basis, CacheStats, Facts, Trace};
pub use view::{
    AlertView, ChangeFacts, Context, ContextFacts, IncidentFacts, IncidentView, LocalTime, Weekday,
};
