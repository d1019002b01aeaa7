//! Converts between instants and the local time of a time zone.
//!
//! Twice a year a clock skips or repeats an hour, which must not shift rotations or leave an hour
//! in which nobody is on call. The rule: a local time means *the first instant at which the wall
//! clock shows it, or has gone past it*. So a time that does not exist happens at the first instant
//! after the gap, and one that exists twice happens at its first occurrence. The rule keeps order:
//! of two local times, the earlier one never happens after the later one.

use chrono::{
    DateTime, Datelike, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone,
    Timelike, Utc,
};
use chrono_tz::Tz;
use tocsin_core::Timestamp;
use tocsin_core::time::HOUR_MS;

use crate::view::{LocalTime, Weekday};

/// Latest instant for which rotations are computed: the end of the year 9998, in milliseconds.
const INSTANT_MS_MAX: i64 = 253_370_764_799_999;
/// Most hours between local time and UTC, in either direction and with a skipped day.
const GAP_SEARCH_HOURS: i64 = 48;

/// The instant at which the clock of `zone` first shows `local`, or the first instant after the
/// gap that `local` is in.
#[must_use]
pub fn first_instant(zone: Tz, local: NaiveDateTime) -> Timestamp {
    match zone.from_local_datetime(&local) {
        LocalResult::Single(at) => Timestamp(at.timestamp_millis()),
        LocalResult::Ambiguous(a, b) => Timestamp(a.timestamp_millis().min(b.timestamp_millis())),
        LocalResult::None => end_of_gap(zone, local),
    }
}

/// The local time in `zone` at `at`. Times outside the years 1970 to 9998 are clamped.
#[must_use]
pub fn local_time(zone: Tz, at: Timestamp) -> NaiveDateTime {
    let at = DateTime::from_timestamp_millis(at.0.clamp(0, INSTANT_MS_MAX)).unwrap_or_default();
    at.with_timezone(&zone).naive_local()
}

/// The instant as policies see it, with its local time in `zone`.
#[must_use]
pub fn policy_time(zone: Tz, at: Timestamp) -> LocalTime {
    let local = local_time(zone, at);
    let day = local.weekday().num_days_from_monday() as usize;
    let midnight = local.date().and_time(NaiveTime::MIN);
    let hour = midnight + TimeDelta::hours(i64::from(local.hour()));
    // After a clock change the same local hour can begin again, or be over before its end.
    let after = |next: NaiveDateTime| Some(first_instant(zone, next)).filter(|it| *it > at);
    LocalTime {
        utc: at,
        zone: zone.name().to_owned(),
        hour: u8::try_from(local.hour()).unwrap_or(0),
        minute: u8::try_from(local.minute()).unwrap_or(0),
        weekday: Weekday::ALL[day % Weekday::ALL.len()],
        next_hour: after(hour + TimeDelta::hours(1)).or_else(|| Some(at.plus_ms(HOUR_MS))),
        next_day: after(midnight + TimeDelta::days(1)),
    }
}

/// An instant at which the clock of `zone` shows this time on this day of the week: in the second
/// week of 2026.
#[must_use]
pub fn some_instant(zone: Tz, (weekday, hour, minute): (Weekday, u8, u8)) -> Timestamp {
    let days = Weekday::ALL.iter().position(|it| *it == weekday);
    let minutes = u64::from(hour) * 60 + u64::from(minute);
    let local = NaiveDate::from_isoywd_opt(2026, 2, chrono::Weekday::Mon).unwrap_or_default();
    let local = local.and_time(NaiveTime::MIN)
        + TimeDelta::days(i64::try_from(days.unwrap_or(0)).unwrap_or(0))
        + TimeDelta::minutes(i64::try_from(minutes).unwrap_or(0));
    first_instant(zone, local)
}

/// Binary search for the first second whose local time is not before `local`. No clock change
/// straddles `local` within the search, because `local` itself lies in a gap.
fn end_of_gap(zone: Tz, local: NaiveDateTime) -> Timestamp {
    let around = TimeDelta::hours(GAP_SEARCH_HOURS);
    let mut before = Utc.from_utc_datetime(&(local - around)).timestamp();
    let mut after = Utc.from_utc_datetime(&(local + around)).timestamp();
    while after - before > 1 {
        let middle = before + (after - before) / 2;
        if local_time(zone, Timestamp(middle * 1_000)) < local {
            before = middle;
        } else {
            after = middle;
        }
    }
    Timestamp(after * 1_000)
}
