//! Local time: instants and wall clocks, days of the week, and hours on certain days, with one rule
//! for the hour that a clock change skips or repeats.

mod hours;
mod wall_clock;
mod week;

pub use hours::{Hours, Restriction, UnknownHours};
pub use wall_clock::{first_instant, local_time, policy_time, some_instant};
pub(crate) use week::{Moment, UnknownMoment, Window};
pub use week::{parse_time, parse_weekday, weekday_name};
