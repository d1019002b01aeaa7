//! The lifecycle of an incident: acknowledge, mitigate, resolve, reopen, merge, close.

mod activity;
pub(crate) mod decide;
pub(crate) mod merge;
mod state;
mod status;

pub use state::{Lifecycle, MergedInto, Resolve};
pub use status::{Status, UnknownStatus};
