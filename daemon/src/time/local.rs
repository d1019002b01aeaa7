//! Times as people read them.

use chrono::{DateTime, TimeZone as _, Utc};
use chrono_tz::Tz;
use tocsin_core::Timestamp;

/// Formats as local time with its abbreviation: `Mon 2026-05-04 09:00 CEST`.
#[must_use]
pub fn in_zone(zone: Tz, at: Timestamp) -> String {
    let utc = DateTime::<Utc>::from_timestamp_millis(at.0).unwrap_or_default();
    let local = zone.from_utc_datetime(&utc.naive_utc());
    local.format("%a %Y-%m-%d %H:%M %Z").to_string()
}
