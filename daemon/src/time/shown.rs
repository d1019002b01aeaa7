//! Times as a person is shown them: in their own time zone, and how long ago.

use chrono::Datelike as _;
use chrono_tz::Tz;
use tocsin_core::Timestamp;
use tocsin_core::time::{HOUR_MS, MINUTE_MS, SECOND_MS};

use super::local_time;

const DAY_MS: u64 = 24 * HOUR_MS;

/// The local time, such as `02:14`; on another day than `now` `Fri 2 Jan 02:14`, and in another
/// year `2 Jan 2025 02:14`. UTC is named, as it is rarely a person's own time.
#[must_use]
pub fn shown_time(zone: Tz, at: Timestamp, now: Timestamp) -> String {
    let (local, today) = (local_time(zone, at), local_time(zone, now));
    let format = if local.date() == today.date() {
        "%H:%M"
    } else if local.year() == today.year() {
        "%a %-d %b %H:%M"
    } else {
        "%-d %b %Y %H:%M"
    };
    let named = if zone == Tz::UTC { " UTC" } else { "" };
    format!("{}{named}", local.format(format))
}

/// The local time and how long ago it was: `02:14 (6 min ago)`.
#[must_use]
pub fn shown_since(zone: Tz, at: Timestamp, now: Timestamp) -> String {
    let time = shown_time(zone, at, now);
    match now.since(at) {
        ..MINUTE_MS => format!("{time} (just now)"),
        ms => format!("{time} ({} ago)", shown_span(ms)),
    }
}

/// A duration in its two largest units, rounded down: `40 s`, `6 min`, `1 h 5 min`, `2 d 3 h`.
#[must_use]
pub fn shown_span(ms: u64) -> String {
    let (large, large_name, small, small_name) = match ms {
        ..MINUTE_MS => return format!("{} s", ms / SECOND_MS),
        MINUTE_MS..HOUR_MS => return format!("{} min", ms / MINUTE_MS),
        HOUR_MS..DAY_MS => (ms / HOUR_MS, "h", ms % HOUR_MS / MINUTE_MS, "min"),
        _ => (ms / DAY_MS, "d", ms % DAY_MS / HOUR_MS, "h"),
    };
    match small {
        0 => format!("{large} {large_name}"),
        small => format!("{large} {large_name} {small} {small_name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse_time;
    use super::*;

    fn at(text: &str) -> Timestamp {
        parse_time(text).unwrap().unwrap()
    }

    #[test]
    fn a_time_is_shown_in_the_persons_zone_with_its_day_if_that_is_another() {
        let now = at("2026-01-02T20:10:00Z");
        let cases = [
            // zone, time, shown
            ("UTC", "2026-01-02T20:04:00Z", "20:04 UTC (6 min ago)"),
            ("Europe/Berlin", "2026-01-02T20:04:00Z", "21:04 (6 min ago)"),
            ("Asia/Kolkata", "2026-01-02T20:04:00Z", "01:34 (6 min ago)"),
            (
                "Asia/Kolkata",
                "2026-01-02T18:20:00Z",
                "Fri 2 Jan 23:50 (1 h 50 min ago)",
            ),
            (
                "America/New_York",
                "2025-12-31T20:10:00Z",
                "31 Dec 2025 15:10 (2 d ago)",
            ),
            ("Asia/Kolkata", "2026-01-02T20:09:30Z", "01:39 (just now)"),
            ("Europe/Berlin", "2026-01-02T20:30:00Z", "21:30 (just now)"),
        ];
        for (zone, time, shown) in cases {
            assert_eq!(shown_since(zone.parse().unwrap(), at(time), now), shown);
        }
    }

    #[test]
    fn a_span_is_shown_in_its_two_largest_units() {
        let cases = [
            (0, "0 s"),
            (59_999, "59 s"),
            (360_000, "6 min"),
            (HOUR_MS, "1 h"),
            (HOUR_MS + 5 * MINUTE_MS + 59_000, "1 h 5 min"),
            (51 * HOUR_MS + MINUTE_MS, "2 d 3 h"),
        ];
        for (ms, shown) in cases {
            assert_eq!(shown_span(ms), shown);
        }
    }
}
