//! The whole program, killed at random points under load, and what must be there afterwards.
//!
//! A test of the store alone cannot see what the program does between a commit and an answer,
//! or between a request that left and the row that remembers it. Here the real program runs on a
//! real folder, is killed with SIGKILL, and goes on. Everything that it answered is kept in a
//! [ledger](Ledger), outside of it; [`audit`] holds what its store says against that.

mod audit;
mod child;
mod ledger;
mod load;
mod night;
mod outside;
mod plant;
mod record;
mod setup;
#[cfg(test)]
mod tests;
mod toll;
mod trace;
mod traced;

pub use audit::{audit, left_alone, settled};
pub use ledger::{Act, Ledger};
pub use night::{Night, survive};
pub use record::{Record, Told};
pub use toll::Toll;
pub use traced::trace;
