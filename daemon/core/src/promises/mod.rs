//! Updates to those who wait outside the war room, and the promise that each makes: when the next
//! one comes. A promise that is not kept is noticed before anybody outside has to ask.

mod audience;
mod cadence;
mod decide;
mod promise;
mod state;
mod tell;

pub use audience::{Audience, UnknownAudience};
pub use cadence::Cadence;
pub(crate) use decide::{Next, due, post, repeat, taken_over};
pub use promise::{Promise, PromiseCounts, PromiseOutcome, PromiseStage};
pub use state::Promises;
pub(crate) use tell::{narrate, notice, timers};
