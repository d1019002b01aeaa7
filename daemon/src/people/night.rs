//! When it is night where a person is.

use chrono::Timelike as _;
use tocsin_core::{PersonId, Timestamp};

use super::roster::Roster;
use crate::time::local_time;

/// The first hour of the night in local time.
const NIGHT_FROM_HOUR: u32 = 22;
/// The first hour after it.
const NIGHT_UNTIL_HOUR: u32 = 7;

impl Roster {
    /// Whether it is night for a person: from 22:00 to 07:00 in their time zone.
    #[must_use]
    pub fn is_night(&self, person: &PersonId, at: Timestamp) -> bool {
        let hour = local_time(self.zone(person), at).hour();
        !(NIGHT_UNTIL_HOUR..NIGHT_FROM_HOUR).contains(&hour)
    }
}
