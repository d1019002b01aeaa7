//! Local times: as people read them, and as senders write them without an offset.

use chrono::{DateTime, Datelike as _, NaiveDateTime, TimeZone as _, Utc};
use chrono_tz::Tz;
use tocsin_core::Timestamp;

use super::first_instant;
use super::rfc3339::FIRST;

/// Date and time without an offset, with dashes or with Zabbix' dots.
const WITHOUT_OFFSET: [&str; 2] = ["%Y-%m-%d %H:%M:%S%.f", "%Y.%m.%d %H:%M:%S%.f"];
/// The years of times that are not defaults or nonsense.
const YEARS: std::ops::RangeInclusive<i32> = 1970..=9998;

/// Parses a date and time without an offset, such as `2026-01-31 12:10:00.250`, in this zone.
#[must_use]
pub fn parse_local_time(zone: Tz, text: &str) -> Option<Timestamp> {
    let mut formats = WITHOUT_OFFSET.iter();
    let local = formats.find_map(|it| NaiveDateTime::parse_from_str(text.trim(), it).ok())?;
    let is_real = YEARS.contains(&local.year());
    let at = is_real.then(|| first_instant(zone, local))?;
    (at >= FIRST).then_some(at)
}

/// Formats as local time with its abbreviation: `Mon 2026-05-04 09:00 CEST`.
#[must_use]
pub fn in_zone(zone: Tz, at: Timestamp) -> String {
    let utc = DateTime::<Utc>::from_timestamp_millis(at.0).unwrap_or_default();
    let local = zone.from_utc_datetime(&utc.naive_utc());
    local.format("%a %Y-%m-%d %H:%M %Z").to_string()
}
