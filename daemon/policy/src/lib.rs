//! Runs Rhai policies: a value in, a verdict with its reason out.
//!
//! A policy is user code between an alert and the person on call. So it can neither harm the daemon
//! (every call has limits on operations, depth, sizes and time) nor fail silently (every failure is
//! a [`Report`] with `file:line:column`, the line, a caret and the remedy). When a policy fails,
//! [`fallback`] has a verdict that still pages somebody.

#![forbid(unsafe_code)]

mod backstop;
mod bind;
mod call;
mod compiled;
mod engine;
pub mod fallback;
mod fault;
mod helpers;
mod hints;
mod kind;
pub mod limits;
mod lint;
mod load;
mod quantity;
mod report;
mod set;
mod span;
mod switches;
pub mod testing;
#[cfg(test)]
mod tests;
mod text;
pub mod trace;
mod verdict;
mod view;

pub use kind::Kind;
pub use report::{LimitHit, Report, Reports};
pub use set::PolicySet;
pub use trace::{Basis, CacheStats, Facts, Trace};
pub use view::{
    AlertView, ChangeFacts, Context, ContextFacts, IncidentFacts, IncidentView, LocalTime, Weekday,
};
