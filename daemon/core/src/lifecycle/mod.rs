//! From the opening to the end: acknowledge, mitigate, resolve, reopen, close.

mod activity;
mod decide;
mod state;
mod status;

pub(crate) use decide::{acknowledge, clear_due, close, mitigate, resolve};
pub use state::Lifecycle;
pub(crate) use state::narrate;
pub use status::{Status, UnknownStatus};
