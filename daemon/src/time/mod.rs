//! Times as text, and the clocks of time zones: one way to write a time, one way to read what
//! senders write, and one rule for the hour that a clock change skips or repeats.

mod rfc3339;
mod wall_clock;

pub use rfc3339::{epoch_time, format_time, parse_time};
pub use wall_clock::{first_instant, local_time, policy_time};
