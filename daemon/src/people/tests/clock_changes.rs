//! Tests the rule of [`crate::time`] at every clock change of the time zones of [`super::zones`]
//! from 2000 to 2037.

use chrono::{NaiveDateTime, TimeDelta};
use chrono_tz::Tz;
use tocsin_core::Timestamp;
use tocsin_core::time::{HOUR_MS, MINUTE_MS};

use super::zones::{FIRST_YEAR, clock_changes, full, zones};
use super::*;
use crate::time::{first_instant, local_time};

const DAY_MS: u64 = 24 * HOUR_MS;
/// By default, schedules are compared around one in this many of a zone's clock changes; odd, so
/// that both springs and autumns are included.
const CHANGES_EVERY: usize = 7;

/// The clock changes around which schedules are compared.
fn clock_changes_to_schedule(zone: Tz) -> impl Iterator<Item = Timestamp> {
    let every = if full() { 1 } else { CHANGES_EVERY };
    clock_changes(zone).into_iter().step_by(every)
}

/// Local times before, inside and after what a clock change skips or repeats.
fn local_times_around(zone: Tz, change: Timestamp) -> Vec<NaiveDateTime> {
    let before = local_time(zone, change.minus_ms(MINUTE_MS)) + TimeDelta::minutes(1);
    let after = local_time(zone, change);
    [-61, -30, -1, 0, 1, 29, 30, 59, 60, 61]
        .into_iter()
        .flat_map(|minutes| [before, after].map(|local| local + TimeDelta::minutes(minutes)))
        .collect()
}

/// A slow implementation of the rule: step minute by minute until the clock shows `local` or more.
fn first_instant_by_walking(zone: Tz, local: NaiveDateTime, start: Timestamp) -> Timestamp {
    let mut at = start;
    assert!(
        local_time(zone, at) < local,
        "stepping must begin before {local} in {zone}"
    );
    while local_time(zone, at) < local {
        at = at.plus_ms(MINUTE_MS);
    }
    at
}

fn daily(local: NaiveDateTime, people: &[&str], restrict: Option<Restriction>) -> Layer {
    Layer {
        people: people.iter().map(|id| (*id).into()).collect(),
        handover: Handover {
            weekday: None,
            time: local.time(),
        },
        every: Every::Days(1),
        start: local.date() - TimeDelta::days(5),
        restrict,
    }
}

#[test]
fn a_local_time_is_the_first_instant_that_shows_it_or_has_gone_past_it() {
    let mut checked = 0;
    for zone in zones(FIRST_YEAR) {
        for change in clock_changes(zone) {
            for local in local_times_around(zone, change) {
                let start = change.minus_ms(6 * HOUR_MS);
                let expected = first_instant_by_walking(zone, local, start);
                assert_eq!(first_instant(zone, local), expected, "{local} in {zone}");
                checked += 1;
            }
        }
    }
    assert!(
        checked > 10_000,
        "too few clock changes were compared: {checked}"
    );
}

#[test]
fn no_clock_change_leaves_a_gap_or_an_overlap_between_shifts() {
    for zone in zones(FIRST_YEAR) {
        for change in clock_changes_to_schedule(zone) {
            for local in local_times_around(zone, change) {
                assert_contiguous(zone, change, local);
            }
        }
    }
}

fn assert_contiguous(zone: Tz, change: Timestamp, local: NaiveDateTime) {
    let layers = vec![daily(local, &["ada", "bob", "cyd"], None)];
    let rotation = Rotation {
        zone,
        layers,
        overrides: Vec::new(),
    };
    let (from, until) = (change.minus_ms(3 * DAY_MS), change.plus_ms(3 * DAY_MS));
    let shifts = rotation.schedule(from, until);
    let context = || {
        format!(
            "{zone}, handover at {} around {change}: {shifts:?}",
            local.time()
        )
    };
    assert_eq!(
        shifts.first().map(|shift| shift.from),
        Some(from),
        "{}",
        context()
    );
    assert_eq!(
        shifts.last().map(|shift| shift.until),
        Some(until),
        "{}",
        context()
    );
    for pair in shifts.windows(2) {
        assert_eq!(pair[0].until, pair[1].from, "{}", context());
        assert!(pair[0].from < pair[0].until, "{}", context());
        let edge = pair[1].from;
        assert_eq!(
            rotation.on_call(edge.minus_ms(1)),
            pair[0].people,
            "{}",
            context()
        );
        assert_eq!(rotation.on_call(edge), pair[1].people, "{}", context());
        assert_eq!(
            rotation.next_handover(pair[0].from),
            Some(edge),
            "{}",
            context()
        );
        // Every handover follows the rule on its local date.
        let date = local_time(zone, edge).date();
        let dates = [date, date - TimeDelta::days(1), date + TimeDelta::days(1)];
        let ruled = dates.map(|date| first_instant(zone, date.and_time(local.time())));
        assert!(ruled.contains(&edge), "{}", context());
    }
    assert!(
        shifts.iter().all(|shift| shift.people.len() == 1),
        "{}",
        context()
    );
    assert!((6..=8).contains(&shifts.len()), "{}", context());
}

#[test]
fn a_restricted_layer_and_the_layer_below_cover_every_instant() {
    for zone in zones(FIRST_YEAR) {
        for change in clock_changes_to_schedule(zone) {
            for local in local_times_around(zone, change) {
                let until = (local + TimeDelta::hours(8)).time();
                let restrict = Restriction {
                    days: WEEK.to_vec(),
                    hours: Hours {
                        from: local.time(),
                        until,
                    },
                };
                let day = daily(local, &["ada"], Some(restrict.clone()));
                let night = daily(local, &["bob"], None);
                let rotation = Rotation {
                    zone,
                    layers: vec![day, night],
                    overrides: vec![],
                };
                let (from, until) = (change.minus_ms(2 * DAY_MS), change.plus_ms(2 * DAY_MS));
                for shift in rotation.schedule(from, until) {
                    let covered = restrict.covers(zone, shift.from);
                    let expected = if covered { "ada" } else { "bob" };
                    assert_eq!(shift.people, [expected.into()], "{zone} {local} {shift:?}");
                    let last = shift.until.minus_ms(1);
                    assert_eq!(
                        restrict.covers(zone, last),
                        covered,
                        "{zone} {local} {shift:?}"
                    );
                }
            }
        }
    }
}

const WEEK: [chrono::Weekday; 7] = [
    chrono::Weekday::Mon,
    chrono::Weekday::Tue,
    chrono::Weekday::Wed,
    chrono::Weekday::Thu,
    chrono::Weekday::Fri,
    chrono::Weekday::Sat,
    chrono::Weekday::Sun,
];
