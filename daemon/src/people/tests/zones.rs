//! The time zones that are tested, and when their clocks change. By default these are unusual zones
//! and a sample of the others; `TOCSIN_DST=full` tests every zone, one of each that change their
//! clocks alike.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, NaiveTime, Offset, TimeZone};
use chrono_tz::{TZ_VARIANTS, Tz};
use tocsin_core::Timestamp;
use tocsin_core::time::HOUR_MS;

const DAY_MS: u64 = 24 * HOUR_MS;
/// The first year whose clock changes are found.
pub(super) const FIRST_YEAR: i32 = 2000;
/// The last one; rules beyond it are a guess.
pub(super) const LAST_YEAR: i32 = 2037;
/// One in this many of the other zones is tested by default.
const SAMPLE_EVERY: usize = 40;
/// Zones with unusual clock changes: half an hour, at midnight, a skipped day, around Ramadan,
/// quarter hours, a changed base offset.
const SURPRISING: [Tz; 14] = [
    Tz::Europe__Berlin,
    Tz::America__New_York,
    Tz::Australia__Lord_Howe,
    Tz::Asia__Kathmandu,
    Tz::America__St_Johns,
    Tz::Pacific__Apia,
    Tz::Africa__Casablanca,
    Tz::Pacific__Chatham,
    Tz::Africa__Cairo,
    Tz::America__Sao_Paulo,
    Tz::Asia__Beirut,
    Tz::America__Caracas,
    Tz::Antarctica__Troll,
    Tz::Asia__Pyongyang,
];

/// Whether every zone is tested.
pub(super) fn full() -> bool {
    std::env::var("TOCSIN_DST").is_ok_and(|mode| mode == "full")
}

/// The zones to test. Of those that show the same time at every instant from the beginning of
/// `year`, all but the first are left out.
pub(super) fn zones(year: i32) -> Vec<Tz> {
    if !full() {
        let sample = TZ_VARIANTS.iter().step_by(SAMPLE_EVERY).copied();
        return SURPRISING.into_iter().chain(sample).collect();
    }
    let mut alike: BTreeMap<Vec<(Timestamp, i32)>, Tz> = BTreeMap::new();
    for zone in TZ_VARIANTS {
        alike
            .entry(offsets(zone, midnight_utc(year)))
            .or_insert(zone);
    }
    println!(
        "{} time zones, of which {} differ from {year} to {LAST_YEAR}",
        TZ_VARIANTS.len(),
        alike.len()
    );
    alike.into_values().collect()
}

/// The offset at an instant and each one after it, with the instant at which it begins.
fn offsets(zone: Tz, from: Timestamp) -> Vec<(Timestamp, i32)> {
    let changes = clock_changes(zone).into_iter();
    let later = changes.filter(|at| *at > from);
    let all = std::iter::once(from).chain(later);
    all.map(|at| (at, offset_s(zone, at))).collect()
}

pub(super) fn midnight_utc(year: i32) -> Timestamp {
    let date = NaiveDate::from_ymd_opt(year, 1, 1).unwrap();
    let midnight = date.and_time(NaiveTime::MIN).and_utc();
    Timestamp(midnight.timestamp_millis())
}

fn offset_s(zone: Tz, at: Timestamp) -> i32 {
    let utc = DateTime::from_timestamp_millis(at.0).unwrap().naive_utc();
    zone.offset_from_utc_datetime(&utc).fix().local_minus_utc()
}

/// The first instants of a new offset, found by looking at every second day.
pub(super) fn clock_changes(zone: Tz) -> Vec<Timestamp> {
    let (mut before, end) = (midnight_utc(FIRST_YEAR), midnight_utc(LAST_YEAR + 1));
    let mut changes = Vec::new();
    while before < end {
        let mut after = before.plus_ms(2 * DAY_MS);
        let next = after;
        if offset_s(zone, before) != offset_s(zone, after) {
            while after.since(before) > 1_000 {
                let middle = Timestamp(before.0 + (after.0 - before.0) / 2_000 * 1_000);
                match offset_s(zone, middle) == offset_s(zone, before) {
                    true => before = middle,
                    false => after = middle,
                }
            }
            changes.push(after);
        }
        before = next;
    }
    changes
}
