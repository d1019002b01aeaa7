//! How a person is reached: contact by contact, until a channel has accepted the page.

mod channels;
mod decide;
mod state;
mod tell;

pub use channels::Channels;
pub(crate) use decide::{
    accepted, contact_due, outcome_unknown_and, page_all, redirect, skip_unserved,
};
pub use state::{Page, PageState, Paging};
pub(crate) use tell::{narrate, notice, settled, timers};
