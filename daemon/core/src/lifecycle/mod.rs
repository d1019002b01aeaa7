//! The lifecycle of an incident: acknowledge, mitigate, resolve, reopen, merge, close.

mod activity;
pub(crate) mod decide;
pub(crate) mod merge;
pub(crate) mod reopen;
mod state;
mod status;

pub(crate) use activity::must_be_active;
pub(crate) use decide::{asks, clear_at, fires_again};
pub use state::{Lifecycle, MergedInto, Resolve};
pub use status::{Status, UnknownStatus};
