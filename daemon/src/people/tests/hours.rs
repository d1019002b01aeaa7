//! Tests of the hours that people were on call in a month.

use tocsin_core::time::HOUR_MS;

use super::*;

/// Berlin's clock goes back on 25 October 2026 at three.
const OCTOBER_HOURS: u64 = 31 * 24 + 1;
const LATER: &str = "2027-01-01 00:00";

fn person(id: &str) -> (PersonId, Person) {
    let person = Person {
        id: id.into(),
        name: id.to_owned(),
        contacts: Vec::new(),
        ladders: Ladders::default(),
        teams: Vec::new(),
        clearance: false,
    };
    (person.id.clone(), person)
}

fn roster(rotations: &[(&str, Rotation)], zones: &[(&str, Tz)]) -> Roster {
    let rotations = rotations.iter();
    Roster {
        people: ["ada", "bob", "cyd"].map(person).into(),
        rotations: rotations
            .map(|(name, it)| ((*name).to_owned(), it.clone()))
            .collect(),
        zones: zones.iter().map(|(id, it)| ((*id).into(), *it)).collect(),
        ..Roster::default()
    }
}

/// One person, around the clock or in certain hours of each day.
fn always(person: &str, hours: Option<&str>) -> Rotation {
    let mut layer = layer(&[person], "00:00", "1 day", "2026-01-05");
    layer.restrict = hours.map(|hours| Restriction {
        days: (0..7).map(|day| Weekday::try_from(day).unwrap()).collect(),
        hours: hours.parse().unwrap(),
    });
    Rotation {
        zone: Tz::Europe__Berlin,
        layers: vec![layer],
        overrides: Vec::new(),
    }
}

/// Hours, those at night and those on weekends.
fn hours(roster: &Roster, month: &str, now: &str, who: &str) -> (u64, u64, u64) {
    let all = roster.on_call_in(month.parse().unwrap(), utc(now));
    let time = all[&PersonId::from(who)];
    let whole = |ms: u64| {
        assert_eq!(ms % HOUR_MS, 0, "{time:?}");
        ms / HOUR_MS
    };
    (
        whole(time.total_ms),
        whole(time.night_ms),
        whole(time.weekend_ms),
    )
}

#[test]
fn a_month_is_as_long_as_it_is_where_the_person_is() {
    let berlin = [("ada", Tz::Europe__Berlin)];
    let roster = roster(&[("a", always("ada", None))], &berlin);
    // Nine days of weekends, of which one has 25 hours; a night more begins than ends, by the hours
    // before midnight and after it.
    assert_eq!(
        hours(&roster, "2026-10", LATER, "ada"),
        (OCTOBER_HOURS, 31 * 8 + 1, 9 * 24 + 1)
    );
    // 15 hours of it are over.
    assert_eq!(
        hours(&roster, "2026-10", "2026-10-01 13:00", "ada"),
        (15, 6, 0)
    );
    assert_eq!(hours(&roster, "2026-10", LATER, "bob"), (0, 0, 0));
}

#[test]
fn nights_and_weekends_are_those_of_the_persons_clock() {
    // From 22 to 6 in Berlin is from 13 to 21 in Los Angeles, and from 5 to 13 in Shanghai.
    let nights = always("ada", Some("22:00-06:00"));
    let in_zone = |zone| {
        let roster = roster(&[("a", nights.clone())], &[("ada", zone)]);
        hours(&roster, "2026-11", LATER, "ada")
    };
    assert_eq!(in_zone(Tz::Europe__Berlin), (240, 240, 72));
    assert_eq!(in_zone(Tz::America__Los_Angeles), (240, 0, 72));
    assert_eq!(in_zone(Tz::Asia__Shanghai).1, 30);
}

#[test]
fn an_hour_on_call_in_two_rotations_counts_once() {
    let berlin = [("ada", Tz::Europe__Berlin)];
    let days = always("ada", Some("08:00-20:00"));
    let evenings = always("ada", Some("18:00-23:00"));
    let roster = roster(&[("days", days), ("evenings", evenings)], &berlin);
    let (all, night, _) = hours(&roster, "2026-11", LATER, "ada");
    assert_eq!((all, night), (30 * 15, 30));
}

#[test]
fn whoever_takes_hours_over_has_them_and_the_other_has_not() {
    let mut rotation = always("ada", None);
    rotation.overrides = vec![Override {
        person: "bob".into(),
        from: utc("2026-11-07 00:00"),
        until: utc("2026-11-07 12:00"),
        id: None,
    }];
    let roster = roster(&[("a", rotation)], &[]);
    assert_eq!(hours(&roster, "2026-11", LATER, "bob"), (12, 6, 12));
    assert_eq!(hours(&roster, "2026-11", LATER, "ada").0, 30 * 24 - 12);
}

#[test]
fn a_month_is_written_with_four_and_two_digits() {
    let month: Month = "2026-02".parse().unwrap();
    assert_eq!(month.to_string(), "2026-02");
    assert_eq!(
        month.window(Tz::Europe__Berlin),
        (utc("2026-01-31 23:00"), utc("2026-02-28 23:00"))
    );
    for wrong in ["2026-13", "2026-2", "26-02", "2026-02-01", "february", ""] {
        let why = wrong.parse::<Month>().unwrap_err().to_string();
        assert!(why.contains("is not a month; write it as 2026-11"), "{why}");
    }
}
