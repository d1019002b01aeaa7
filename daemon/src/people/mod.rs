//! Who is on call, and who is paged.
//!
//! Who is on call is computed from the configuration, the overrides that people made, their
//! calendars and the time, and never stored, so a restart cannot lose a handover. All functions are
//! pure; the time is a parameter. They prevent common failures of rotations: a schedule that shifts
//! by an hour when the clocks change, an hour in which nobody is on call, and a page that silently
//! resolves to nobody.

mod absence;
mod ahead;
mod choice;
mod foresight;
mod handover;
mod layer;
mod night;
mod outlook;
mod overrides;
mod responders;
mod roster;
mod rotation;
mod waking;

pub use absence::{ABSENCES_MAX, Absence, Absences};
pub use ahead::ShiftAhead;
pub use choice::{Choice, Hindrance, Reach};
pub use foresight::{FORESIGHT_MS, OnCallWarning, WARNINGS_MAX};
pub use handover::{Every, Handover, TURN_DAYS_MAX, TURN_WEEKS_MAX, UnknownTurn};
pub use layer::Layer;
pub use outlook::{Gap, Span};
pub use overrides::{
    MadeOverride, NewOverride, OVERRIDE_AHEAD_MS_MAX, OVERRIDE_KEPT_MS, OVERRIDES_KEPT_MAX,
    OVERRIDES_LIVE_MAX, OverrideRefusal, REASON_BYTES_MAX, cancel_override, crowded_out,
    make_overrides, override_id,
};
pub use responders::{CurrentRoster, MAIL_CHANNEL, MAIL_CONTACT, ResponderLookup, ServedContacts};
pub use roster::{Roster, person_remedy};
pub use rotation::{HANDOVER_HORIZON_MS, Override, Rotation, SHIFTS_MAX, Shift};
pub use tocsin_policy::calendar::{Hours, Restriction};
pub use waking::{OnCallSoon, Proven, WakingWarning};

#[cfg(test)]
mod tests;
