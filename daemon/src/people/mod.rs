//! Who is on call, and who is paged.
//!
//! Who is on call is computed from the configuration and the time, and never stored, so a restart
//! cannot lose a handover. All functions are pure; the time is a parameter. They prevent common
//! failures of rotations: a schedule that shifts by an hour when the clocks change, an hour in
//! which nobody is on call, and a page that silently resolves to nobody.

mod handover;
mod layer;
mod responders;
mod roster;
mod rotation;

pub use handover::{Every, Handover, TURN_DAYS_MAX, TURN_WEEKS_MAX, UnknownTurn};
pub use layer::Layer;
pub use responders::{MAIL_CHANNEL, MAIL_CONTACT, ResponderLookup, ServedContacts};
pub use roster::{Reached, Roster};
pub use rotation::{HANDOVER_HORIZON_MS, Override, Rotation, SHIFTS_MAX, Shift};
pub use tocsin_policy::calendar::{Hours, Restriction};

#[cfg(test)]
mod clock_changes;
#[cfg(test)]
mod tests;
