//! Work that is assigned in an incident, so that nobody does it twice and nothing is left to
//! whoever happens to think of it.

mod decide;
mod state;
mod tell;

pub use decide::TaskChange;
pub(crate) use decide::{change, take, taken_over};
pub use state::{Task, Tasks};
pub(crate) use tell::{asks, narrate};
