//! Who is on call, and whom a page reaches.
//!
//! Rotations are computed, never stored: from the configuration and an instant follows who is on
//! call, so a restart or a missed hour cannot lose a handover. All functions are pure; the
//! caller says what time it is. They prevent the failures that rotations are known for: a
//! schedule that moves by an hour when the clocks change, an hour in which nobody is on call,
//! and a page that silently resolves to nobody.

mod handover;
mod layer;
mod responders;
mod restriction;
mod roster;
mod rotation;

pub use handover::{Every, Handover, TURN_DAYS_MAX, TURN_WEEKS_MAX, UnknownTurn};
pub(crate) use handover::{parse_weekday, weekday_name};
pub use layer::Layer;
pub use responders::{MAIL_CHANNEL, MAIL_CONTACT, ResponderLookup, ServedContacts};
pub use restriction::{Hours, Restriction};
pub use roster::{Reached, Roster};
pub use rotation::{HANDOVER_HORIZON_MS, Override, Rotation, SHIFTS_MAX, Shift};

#[cfg(test)]
mod clock_changes;
#[cfg(test)]
mod tests;
