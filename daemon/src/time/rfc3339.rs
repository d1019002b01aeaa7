//! RFC 3339 and Unix times.

use chrono::{DateTime, SecondsFormat, Utc};
use tocsin_core::Timestamp;

/// PagerDuty's examples and Java's default: an offset without a colon, which RFC 3339 forbids.
const OFFSET_WITHOUT_COLON: &str = "%Y-%m-%dT%H:%M:%S%.f%z";
/// The first instant that counts as a real time. Go's zero time is in the year 1; anything up to
/// the epoch is a default, not a time.
pub(super) const FIRST: Timestamp = Timestamp(1);
/// The last instant of the year 9999, the last that RFC 3339 can write.
const LAST: Timestamp = Timestamp(253_402_300_799_999);

/// A larger number is in milliseconds, as in seconds it would be after the year 5138.
const EPOCH_SECONDS_MAX: f64 = 1e11;

/// Parses RFC 3339, also with an offset such as `+0000`. `None` when the text is not a time;
/// `Some(None)` for Go's zero time (`0001-01-01T00:00:00Z`), which means that there is no time.
#[must_use]
pub fn parse_time(text: &str) -> Option<Option<Timestamp>> {
    let at = DateTime::parse_from_rfc3339(text)
        .or_else(|_| DateTime::parse_from_str(text, OFFSET_WITHOUT_COLON))
        .ok()?;
    let at = Timestamp(at.timestamp_millis());
    Some((at >= FIRST).then(|| at.min(LAST)))
}

/// Formats as RFC 3339 in UTC with milliseconds. A time outside the years 1970 to 9999 is clamped.
#[must_use]
pub fn format_time(at: Timestamp) -> String {
    let ms = at.0.clamp(0, LAST.0);
    DateTime::<Utc>::from_timestamp_millis(ms)
        .unwrap_or_default()
        .to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Converts a Unix time in seconds or, depending on its size, in milliseconds.
#[must_use]
pub fn epoch_time(number: f64) -> Option<Timestamp> {
    let ms = if number.abs() < EPOCH_SECONDS_MAX {
        number * 1_000.0
    } else {
        number
    };
    // A cast from float to integer saturates, and NaN becomes 0, which is not a time.
    #[allow(clippy::cast_possible_truncation)]
    let at = Timestamp(ms as i64);
    (FIRST..=LAST).contains(&at).then_some(at)
}
