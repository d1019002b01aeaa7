//! Runs the platform teams' Rhai policies: a value in, a verdict with its reason out.
//!
//! A policy is code that somebody edits in a hurry, and it stands between an alert and the
//! person who must wake. So it can neither hurt the daemon (every call has limits on operations,
//! depth, sizes and time) nor fail in silence (every failure is a [`Report`] with
//! `file:line:column`, the line, a caret and the remedy). When no policy can answer, [`fallback`]
//! has the verdict that still pages somebody.

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
mod input;
mod kind;
pub mod limits;
mod lint;
mod load;
mod report;
mod set;
mod span;
pub mod testing;
#[cfg(test)]
mod tests;
mod verdict;
mod view;

pub use kind::Kind;
pub use report::{LimitHit, Report, Reports};
pub use set::PolicySet;
pub use view::{
    AlertView, ChangeFacts, Context, ContextFacts, IncidentFacts, IncidentView, LocalTime, Weekday,
};
