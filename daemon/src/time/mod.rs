//! Parses and formats times, also as people are shown them, and converts between instants and local
//! times, with one rule for the hour that a clock change skips or repeats.

mod local;
mod rfc3339;
mod shown;

pub use local::{in_zone, parse_local_time};
pub use rfc3339::{epoch_time, format_time, parse_time};
pub use shown::{shown_since, shown_span, shown_time};
pub use tocsin_policy::calendar::{first_instant, local_time, policy_time};
