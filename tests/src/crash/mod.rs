//! Kills the whole program at random points under load, and audits its store.
//!
//! A test of the store alone does not cover the time between a commit and its response, or between
//! a request to a service and the row that records it. Here the real program runs on a real folder,
//! is killed with SIGKILL and restarted. All its success responses are recorded in a
//! [ledger](Ledger) outside of it, and [`audit`] compares the store with that.

mod audit;
mod child;
mod ledger;
mod load;
mod outside;
mod plant;
mod record;
mod run;
mod setup;
mod summary;
#[cfg(test)]
mod tests;
mod trace;
mod traced;

pub use audit::{audit, left_alone, settled};
pub use ledger::{Act, Ledger};
pub use record::{IncidentRecord, Record};
pub use run::{Parameters, run};
pub use summary::Summary;
pub use traced::trace;
