//! Who does what in an incident, and how a role passes from one person to another.

mod call;
mod decide;
mod respond;
mod response;
mod role;
mod state;
mod tell;

pub use call::Call;
pub(crate) use decide::{accept, decline, hand_off, refuse};
pub(crate) use respond::{offer_due, respond};
pub use response::Response;
pub use role::{Declined, Role, UnknownRole};
pub use state::Roles;
pub(crate) use tell::{narrate, timers};
