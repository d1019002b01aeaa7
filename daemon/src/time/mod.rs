//! Parses and formats times, and converts between instants and local times, with one rule for the
//! hour that a clock change skips or repeats.

mod rfc3339;

pub use rfc3339::{epoch_time, format_time, parse_time};
pub use tocsin_policy::calendar::{first_instant, local_time, policy_time};
