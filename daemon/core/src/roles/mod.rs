//! Who does what in an incident, and how a role passes from one person to another.

mod decide;
mod help;
mod response;
mod role;
mod state;

pub(crate) use decide::{accept, decline, hand_off, refuse};
pub(crate) use help::{join, want_help};
pub use response::Response;
pub use role::{Declined, Role, UnknownRole};
pub(crate) use state::narrate;
pub use state::{RoleTime, Roles};
