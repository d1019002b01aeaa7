//! Changes, such as deployments, to the services of an incident: which may have caused it, what
//! people say of them, and which are made while it is open.

mod change;
mod decide;
mod state;
mod tell;

pub use change::{Change, ChangeBrief, ChangeLink};
pub use decide::{AboutChange, services_of_opening, suspected};
pub(crate) use decide::{about, taken_over};
pub use state::{ChangeStatus, Changes, IncidentChange};
pub(crate) use tell::narrate;
