//! Tests of turns, and what their helpers share.

mod choice;
mod clock_changes;
mod no_hole;
mod overrides;
mod waking;
mod zones;

use std::collections::BTreeMap;

use chrono::{NaiveDate, NaiveDateTime, Weekday};
use chrono_tz::Tz;
use tocsin_core::{Contact, Ladders, PageTarget, Person, PersonId, Step, Timestamp};

use super::*;
use crate::time::first_instant;

fn utc(text: &str) -> Timestamp {
    let at = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap();
    Timestamp(at.and_utc().timestamp_millis())
}

fn local(text: &str) -> NaiveDateTime {
    NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap()
}

fn ids(names: &[&str]) -> Vec<PersonId> {
    names.iter().map(|name| (*name).into()).collect()
}

fn layer(people: &[&str], handover: &str, every: &str, start: &str) -> Layer {
    Layer {
        people: ids(people),
        handover: handover.parse().unwrap(),
        every: every.parse().unwrap(),
        start: NaiveDate::parse_from_str(start, "%Y-%m-%d").unwrap(),
        restrict: None,
    }
}

fn weekly(zone: Tz) -> Rotation {
    let layers = vec![layer(
        &["ada", "bob"],
        "monday 09:00",
        "1 week",
        "2026-01-05",
    )];
    Rotation {
        zone,
        layers,
        overrides: Vec::new(),
    }
}

#[test]
fn local_times_around_clock_changes_follow_the_rule() {
    let cases = [
        // zone, local time, the instant
        ("Europe/Berlin", "2026-03-29 01:59", "2026-03-29 00:59"),
        ("Europe/Berlin", "2026-03-29 02:30", "2026-03-29 01:00"),
        ("Europe/Berlin", "2026-03-29 03:00", "2026-03-29 01:00"),
        ("Europe/Berlin", "2026-10-25 02:30", "2026-10-25 00:30"),
        ("America/New_York", "2026-03-08 02:30", "2026-03-08 07:00"),
        ("America/New_York", "2026-11-01 01:30", "2026-11-01 05:30"),
        // Half an hour: 02:00 becomes 02:30.
        (
            "Australia/Lord_Howe",
            "2026-10-04 02:15",
            "2026-10-03 15:30",
        ),
        (
            "Australia/Lord_Howe",
            "2026-04-05 01:45",
            "2026-04-04 14:45",
        ),
        ("Asia/Kathmandu", "2026-06-01 09:00", "2026-06-01 03:15"),
        // A skipped day.
        ("Pacific/Apia", "2011-12-30 09:00", "2011-12-30 10:00"),
    ];
    for (zone, written, expected) in cases {
        let zone: Tz = zone.parse().unwrap();
        assert_eq!(
            first_instant(zone, local(written)),
            utc(expected),
            "{written} in {zone}"
        );
    }
}

#[test]
fn a_weekly_turn_ends_at_the_same_wall_clock_time_in_summer_and_winter() {
    let rotation = weekly(Tz::Europe__Berlin);
    for (before, at) in [
        ("2026-03-23 07:59", "2026-03-23 08:00"), // the last Monday of winter: 09:00 is 08:00 UTC
        ("2026-03-30 06:59", "2026-03-30 07:00"), // the first of summer: 09:00 is 07:00 UTC
        ("2026-10-26 07:59", "2026-10-26 08:00"),
    ] {
        assert_ne!(
            rotation.on_call(utc(before)),
            rotation.on_call(utc(at)),
            "{at}"
        );
        assert_eq!(rotation.next_handover(utc(before)), Some(utc(at)));
    }
}

#[test]
fn turns_rotate_in_order_and_nobody_is_on_call_before_the_first() {
    let rotation = weekly(Tz::Europe__Berlin);
    assert_eq!(rotation.on_call(utc("2026-01-05 07:59")), ids(&[]));
    assert_eq!(rotation.on_call(utc("2026-01-05 08:00")), ids(&["ada"]));
    assert_eq!(rotation.on_call(utc("2026-01-12 08:00")), ids(&["bob"]));
    assert_eq!(rotation.on_call(utc("2026-01-19 08:00")), ids(&["ada"]));
    assert_eq!(
        rotation.next_handover(utc("2025-12-30 00:00")),
        Some(utc("2026-01-05 08:00"))
    );
}

#[test]
fn a_start_between_two_handovers_waits_for_the_next_one() {
    let mut rotation = weekly(Tz::UTC);
    rotation.layers[0].start = NaiveDate::from_ymd_opt(2026, 1, 7).unwrap();
    assert_eq!(rotation.on_call(utc("2026-01-11 12:00")), ids(&[]));
    assert_eq!(rotation.on_call(utc("2026-01-12 09:00")), ids(&["ada"]));
}

#[test]
fn the_first_layer_that_covers_an_instant_decides_and_the_next_covers_the_rest() {
    let mut office = layer(&["ada"], "monday 09:00", "1 week", "2026-01-05");
    office.restrict = Some(Restriction {
        days: vec![
            Weekday::Mon,
            Weekday::Tue,
            Weekday::Wed,
            Weekday::Thu,
            Weekday::Fri,
        ],
        hours: "09:00-17:00".parse().unwrap(),
    });
    let rest = layer(&["bob"], "monday 09:00", "1 week", "2026-01-05");
    let rotation = Rotation {
        zone: Tz::UTC,
        layers: vec![office, rest],
        overrides: vec![],
    };
    for (at, who) in [
        ("2026-02-02 09:00", "ada"),
        ("2026-02-02 16:59", "ada"),
        ("2026-02-02 17:00", "bob"),
        ("2026-02-06 20:00", "bob"),
        ("2026-02-07 12:00", "bob"), // Saturday
        ("2026-02-09 09:00", "ada"),
    ] {
        assert_eq!(rotation.on_call(utc(at)), ids(&[who]), "{at}");
    }
    let weekend = rotation.schedule(utc("2026-02-06 12:00"), utc("2026-02-09 12:00"));
    let edges: Vec<_> = weekend.iter().map(|shift| shift.from).collect();
    let expected = ["2026-02-06 12:00", "2026-02-06 17:00", "2026-02-09 09:00"].map(utc);
    assert_eq!(edges, expected);
}

#[test]
fn a_night_belongs_to_the_day_on_which_it_begins() {
    let mut nights = layer(&["ada"], "monday 09:00", "1 week", "2026-01-05");
    nights.restrict = Some(Restriction {
        days: vec![Weekday::Fri],
        hours: "22:00-06:00".parse().unwrap(),
    });
    let rotation = Rotation {
        zone: Tz::UTC,
        layers: vec![nights],
        overrides: vec![],
    };
    assert_eq!(rotation.on_call(utc("2026-02-06 05:00")), ids(&[]));
    assert_eq!(rotation.on_call(utc("2026-02-06 22:00")), ids(&["ada"]));
    assert_eq!(rotation.on_call(utc("2026-02-07 05:59")), ids(&["ada"]));
    assert_eq!(rotation.on_call(utc("2026-02-07 06:00")), ids(&[]));
}

#[test]
fn an_override_takes_precedence_over_every_layer() {
    let mut rotation = weekly(Tz::UTC);
    let (from, until) = (utc("2026-01-06 12:00"), utc("2026-01-07 12:00"));
    rotation.overrides.push(Override {
        person: "cyd".into(),
        from,
        until,
        id: None,
    });
    let shifts = rotation.schedule(utc("2026-01-05 09:00"), utc("2026-01-12 10:00"));
    let told: Vec<_> = shifts
        .iter()
        .map(|shift| (shift.people.clone(), shift.from))
        .collect();
    let expected = [
        (ids(&["ada"]), utc("2026-01-05 09:00")),
        (ids(&["cyd"]), from),
        (ids(&["ada"]), until),
        (ids(&["bob"]), utc("2026-01-12 09:00")),
    ];
    assert_eq!(told, expected);
}

#[test]
fn one_person_alone_never_hands_over() {
    let layers = vec![layer(&["ada"], "09:00", "1 day", "2026-01-05")];
    let rotation = Rotation {
        zone: Tz::Asia__Kathmandu,
        layers,
        overrides: vec![],
    };
    assert_eq!(rotation.next_handover(utc("2026-06-01 00:00")), None);
    assert_eq!(
        rotation
            .schedule(utc("2026-06-01 00:00"), utc("2026-07-01 00:00"))
            .len(),
        1
    );
}

#[test]
fn extreme_times_do_not_panic() {
    let rotation = weekly(Tz::America__St_Johns);
    for at in [i64::MIN, -1, 0, i64::MAX] {
        let _ = rotation.on_call(Timestamp(at));
        let _ = rotation.next_handover(Timestamp(at));
        let _ = rotation.schedule(Timestamp(at), Timestamp(i64::MAX));
    }
}

#[test]
fn handovers_lengths_and_hours_are_parsed_and_refused_with_an_example() {
    for text in ["monday 09:00", "sunday 23:59", "00:00"] {
        assert_eq!(text.parse::<Handover>().unwrap().to_string(), text);
    }
    assert_eq!(
        "Mon 09:00".parse::<Handover>().unwrap().to_string(),
        "monday 09:00"
    );
    for text in [
        "",
        "9:00",
        "funday 09:00",
        "monday",
        "25:00",
        "monday 09:00:00",
    ] {
        assert!(text.parse::<Handover>().is_err(), "{text:?}");
    }
    for text in ["1 week", "2 weeks", "1 day", "366 days"] {
        assert_eq!(text.parse::<Every>().unwrap().to_string(), text);
    }
    for text in [
        "", "week", "0 weeks", "53 weeks", "367 days", "-1 day", "1 month",
    ] {
        assert!(text.parse::<Every>().is_err(), "{text:?}");
    }
    for text in ["09:00-17:00", "22:00-06:00", "00:00-24:00"] {
        assert_eq!(text.parse::<Hours>().unwrap().to_string(), text);
    }
    for text in ["", "9-17", "09:00", "09:00-25:00"] {
        assert!(text.parse::<Hours>().is_err(), "{text:?}");
    }
    let error = "noon".parse::<Handover>().unwrap_err().to_string();
    assert!(
        error.contains("`noon`") && error.contains("monday 09:00"),
        "{error}"
    );
}

/// A person with a contact of kind `chat`.
fn person(id: &str, teams: &[&str]) -> (PersonId, Person) {
    let teams = teams.iter().map(|team| (*team).into()).collect();
    let name = id.to_uppercase();
    let contact = Contact {
        kind: "chat".to_owned(),
        address: id.to_owned(),
    };
    let person = Person {
        id: id.into(),
        name,
        contacts: vec![contact],
        ladders: Ladders::default(),
        teams,
        clearance: false,
    };
    (id.into(), person)
}

/// Ada and bob take turns of a week; cyd is in no rotation. The fallback is ada.
fn roster() -> Roster {
    let people = [
        person("ada", &["payments"]),
        person("bob", &["payments"]),
        person("cyd", &[]),
    ];
    Roster {
        people: BTreeMap::from(people),
        zones: BTreeMap::new(),
        levels: BTreeMap::new(),
        teams: BTreeMap::from([
            ("payments".into(), Some("primary".to_owned())),
            ("search".into(), None),
        ]),
        rotations: BTreeMap::from([("primary".to_owned(), weekly(Tz::UTC))]),
        fallback: vec![PageTarget::Person("ada".into())],
        loud: ["ntfy".to_owned(), "phone".to_owned()].into(),
        absences: BTreeMap::new(),
    }
}

fn step(targets: &[&str]) -> Step {
    let targets = targets.iter().map(|target| target.parse().unwrap());
    Step {
        at: None,
        page: targets.collect(),
        wait_ms: 60_000,
    }
}

fn names(people: &[Person]) -> Vec<&str> {
    people.iter().map(|person| person.id.as_str()).collect()
}

#[test]
fn a_target_is_a_person_a_rotation_the_rotation_of_a_team_or_a_team() {
    let at = utc("2026-01-06 00:00");
    for (target, expected) in [
        ("person:bob", vec!["bob"]),
        ("oncall:primary", vec!["ada"]),
        ("oncall:payments", vec!["ada"]),
        ("team:payments", vec!["ada", "bob"]),
        ("team:search", vec![]),
        ("person:eve", vec![]),
        ("oncall:search", vec![]),
    ] {
        let people = roster().resolve(&target.parse().unwrap(), at);
        assert_eq!(names(&people), expected, "{target}");
    }
}

#[test]
fn it_is_night_from_ten_to_seven_where_somebody_is() {
    let mut roster = roster();
    roster.zones = BTreeMap::from([("ada".into(), Tz::Asia__Kolkata)]);
    for (at, is_night_in_kolkata, is_night_in_utc) in [
        ("2026-01-06 16:29", false, false),
        ("2026-01-06 16:30", true, false),
        ("2026-01-06 21:59", true, false),
        ("2026-01-06 22:00", true, true),
        ("2026-01-07 01:29", true, true),
        ("2026-01-07 01:30", false, true),
        ("2026-01-07 06:59", false, true),
        ("2026-01-07 07:00", false, false),
    ] {
        let is_night = |who: &str| roster.is_night(&who.into(), utc(at));
        assert_eq!(is_night("ada"), is_night_in_kolkata, "{at}");
        assert_eq!(is_night("bob"), is_night_in_utc, "{at}");
    }
}
