//! Who is on call, and who a page reaches.
//!
//! Rotations are computed, never stored: from the configuration and an instant follows who is on
//! call, so a restart or a missed hour cannot lose a hand-over. All functions are pure; the
//! caller says what time it is. They prevent the failures that rotations are known for: a
//! schedule that moves by an hour when the clocks change, an hour in which nobody is on call,
//! and a page that resolves to nobody and says nothing.

mod handover;
mod layer;
pub mod responders;
mod restriction;
mod roster;
mod rotation;
mod wall;

pub use handover::{Every, Handover, TURN_DAYS_MAX, TURN_WEEKS_MAX, UnknownTurn};
pub(crate) use handover::{parse_weekday, weekday_name};
pub use layer::Layer;
pub use restriction::{Hours, Restriction};
pub use roster::{Reached, Roster};
pub use rotation::{HANDOVER_HORIZON_MS, Override, Rotation, SHIFTS_MAX, Shift};
pub use wall::{first_instant, local_time};

#[cfg(test)]
mod sweep;
#[cfg(test)]
mod tests;
