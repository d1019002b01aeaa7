//! The lifecycle of an incident: acknowledge, mitigate, resolve, reopen, close.

mod activity;
pub(crate) mod decide;
mod state;
mod status;

pub use state::{Lifecycle, Resolve};
pub use status::{Status, UnknownStatus};
