//! A moment as the clock on the wall of a time zone shows it.

use chrono::{DateTime, Datelike, Timelike};
use chrono_tz::Tz;
use tocsin_core::Timestamp;
use tocsin_policy::{LocalTime, Weekday};

/// The moment in a zone. A moment outside of the calendar is shown as the epoch.
#[must_use]
pub fn local_time(now: Timestamp, zone: Tz) -> LocalTime {
    let local = DateTime::from_timestamp_millis(now.0)
        .unwrap_or_default()
        .with_timezone(&zone);
    let day = local.weekday().num_days_from_monday() as usize;
    LocalTime {
        utc: now,
        zone: zone.name().to_owned(),
        hour: u8::try_from(local.hour()).unwrap_or(0),
        minute: u8::try_from(local.minute()).unwrap_or(0),
        weekday: Weekday::ALL[day % Weekday::ALL.len()],
    }
}
