//! Who does what in an incident, and how a role passes from one person to another.

mod call;
mod decide;
mod help;
mod respond;
mod response;
mod role;
mod state;
mod tell;

pub use call::Call;
pub(crate) use decide::{accept, decline, hand_off, hand_over, refuse, shift_ends, stops_speaking};
pub(crate) use help::{join, want_help};
pub(crate) use respond::{offer_due, respond};
pub use response::Response;
pub use role::{Declined, Role, ShiftEnd, UnknownRole};
pub use state::{RoleTime, Roles};
pub(crate) use tell::{asks, narrate, timers};
