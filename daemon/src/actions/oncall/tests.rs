//! The grammar of chat, and what each verb asks for.

use std::sync::Arc;

use chrono::NaiveDateTime;
use serde_json::json;
use tocsin_core::{Actor, Timestamp};

use super::chat::{OnCallLine, parse};
use super::verb::Asked;
use super::*;
use crate::config;
use crate::people::{NewOverride, Roster, make_overrides};

/// Ada and bob take turns of a week from Mondays at 09:00 in Berlin, and cyd and dan work days and
/// nights.
const CONFIG: &str = r#"
[people.ada]
name = "Ada"
[people.bob]
name = "Bob"
[people.cyd]
name = "Cyd"

[rotations.payments]
timezone = "Europe/Berlin"
layers = [{ people = ["ada", "bob"], handover = "monday 09:00", start = "2026-01-05" }]

[rotations.alone]
timezone = "UTC"
layers = [{ people = ["ada"], handover = "monday 09:00", start = "2026-01-05" }]

[rotations.days]
timezone = "UTC"
layers = [
  { people = ["cyd"], handover = "08:00", every = "1 day", start = "2026-01-05", restrict = {
    hours = "08:00-20:00",
  } },
  { people = ["bob"], handover = "monday 09:00", start = "2026-01-05" },
]
"#;

fn roster() -> Roster {
    let folder = std::path::Path::new("/nowhere");
    config::parse(CONFIG, "tocsin.toml", folder)
        .unwrap()
        .config
        .roster()
}

fn utc(text: &str) -> Timestamp {
    let at = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap();
    Timestamp(at.and_utc().timestamp_millis())
}

/// What a line asks for, on a Wednesday in the turn of ada.
fn asked(line: &str, by: &Actor) -> Result<Vec<NewOverride>, String> {
    let OnCallLine::Change(action) = parse(line)? else {
        panic!("no change: {line}");
    };
    // What the API accepts is what chat understands.
    let body = serde_json::to_value(&action).unwrap();
    assert_eq!(
        serde_json::from_value::<OnCallAction>(body).unwrap(),
        action
    );
    let (roster, now) = (roster(), utc("2026-01-07 12:00"));
    let roster = &roster;
    action
        .wanted(Asked { roster, by, now })
        .map_err(|it| it.to_string())
}

fn cyd() -> Actor {
    Actor::Person("cyd".into())
}

fn spans(line: &str) -> Vec<(String, Timestamp, Timestamp)> {
    let wanted = asked(line, &cyd()).unwrap();
    wanted
        .into_iter()
        .map(|it| (it.person.0, it.from, it.until))
        .collect()
}

#[test]
fn an_override_is_of_local_times_or_for_a_while() {
    let now = utc("2026-01-07 12:00");
    for (line, from, until) in [
        ("override payments @cyd 4h", now, utc("2026-01-07 16:00")),
        (
            "override payments cyd 2026-01-08T09:00",
            now,
            utc("2026-01-08 08:00"),
        ),
        (
            "override payments cyd 2026-07-08T09:00 4h",
            utc("2026-07-08 07:00"),
            utc("2026-07-08 11:00"),
        ),
        (
            "override payments cyd 2026-01-08T09:00Z 2026-01-09T09:00 ill",
            utc("2026-01-08 09:00"),
            utc("2026-01-09 08:00"),
        ),
    ] {
        // An offset needs seconds.
        let line = line.replace("09:00Z", "09:00:00Z");
        assert_eq!(spans(&line), [("cyd".to_owned(), from, until)], "{line}");
    }
    let wanted = asked("override payments cyd 4h is ill", &cyd()).unwrap();
    assert_eq!(wanted[0].reason, "is ill");
}

#[test]
fn who_takes_a_shift_has_it_until_it_ends_or_for_a_while() {
    let now = utc("2026-01-07 12:00");
    let (hours, shift) = (utc("2026-01-07 16:00"), utc("2026-01-12 08:00"));
    assert_eq!(spans("take payments"), [("cyd".to_owned(), now, shift)]);
    assert_eq!(spans("take payments 4h"), [("cyd".to_owned(), now, hours)]);
    let ada = Actor::Person("ada".into());
    for (line, by, says) in [
        ("take payments", &ada, "ada is on call already"),
        ("take alone", &cyd(), "the current shift has no end"),
        (
            "take payments",
            &Actor::Token("ci".into()),
            "only a person can take a shift",
        ),
        ("take night", &cyd(), "there is no rotation `night`"),
    ] {
        let why = asked(line, by).unwrap_err();
        assert!(why.contains(says), "{line}: {why}");
    }
}

#[test]
fn the_people_of_two_shifts_change_places() {
    let expected = [
        (
            "bob".to_owned(),
            utc("2026-01-19 08:00"),
            utc("2026-01-26 08:00"),
        ),
        (
            "ada".to_owned(),
            utc("2026-01-26 08:00"),
            utc("2026-02-02 08:00"),
        ),
    ];
    assert_eq!(spans("swap payments 2026-01-19 2026-01-26"), expected);
    // A Tuesday is of the shift that it is in, and a time too.
    assert_eq!(spans("swap payments 2026-01-20 2026-01-27T10:00"), expected);
    // The rest of the current shift.
    let current = spans("swap payments 2026-01-07 2026-01-12");
    assert_eq!(
        current[0],
        (
            "bob".to_owned(),
            utc("2026-01-07 12:00"),
            utc("2026-01-12 08:00")
        )
    );
    let nights = spans("swap days 2026-01-08T12:00 2026-01-08T23:00");
    assert_eq!(
        nights[0],
        (
            "bob".to_owned(),
            utc("2026-01-08 08:00"),
            utc("2026-01-08 20:00")
        )
    );
    for (line, says) in [
        (
            "swap payments 2026-01-19 2026-02-02",
            "ada is on call in both",
        ),
        (
            "swap days 2026-01-08 2026-01-09",
            "more than one shift begins on 2026-01-08",
        ),
        (
            "swap payments 2026-01-01 2026-01-12",
            "is not in the schedule",
        ),
        ("swap alone 2026-01-19 2026-01-26", "ada is on call in both"),
        (
            "swap payments 2026-01-12 2027-01-07",
            "does not end within 366 days",
        ),
    ] {
        let why = asked(line, &cyd()).unwrap_err();
        assert!(why.contains(says), "{line}: {why}");
    }
}

/// The roster after these changes, one after the other.
fn after(lines: &[&str]) -> Roster {
    let (by, now) = (cyd(), utc("2026-01-07 12:00"));
    let mut kept = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        let roster = roster().with_overrides(&kept);
        let Ok(OnCallLine::Change(action)) = parse(line) else {
            panic!("no change: {line}");
        };
        let asked = Asked {
            roster: &roster,
            by: &by,
            now,
        };
        let wanted = action.wanted(asked).unwrap();
        let request = number.to_string();
        let made = make_overrides(&kept, &roster, wanted, (&request, &by, now)).unwrap();
        kept.extend(made.into_iter().map(Arc::new));
    }
    roster().with_overrides(&kept)
}

#[test]
fn a_swap_exchanges_one_turn_of_each_and_the_same_swap_again_undoes_it() {
    let shifts = |roster: Roster, name: &str| {
        let window = (utc("2026-01-07 12:00"), utc("2026-03-01 00:00"));
        roster.rotations[name].schedule(window.0, window.1)
    };
    let long = "override payments ada 2026-01-12T09:00 2026-02-02T09:00";
    let day = "override payments bob 2026-01-21T09:00 2026-01-22T09:00";
    for (name, before, swap) in [
        // The turns before and after these are of the same two people then.
        ("payments", None, "swap payments 2026-01-19 2026-01-26"),
        ("payments", None, "swap payments 2026-01-07 2026-01-12"),
        (
            "payments",
            Some(long),
            "swap payments 2026-01-19 2026-02-09",
        ),
        ("payments", Some(day), "swap payments 2026-01-19 2026-01-26"),
        ("days", None, "swap days 2026-01-08T12:00 2026-01-08T23:00"),
    ] {
        let before: Vec<&str> = before.into_iter().collect();
        let with = |more: &[&str]| shifts(after(&[&before[..], more].concat()), name);
        assert_ne!(with(&[swap]), with(&[]), "{swap}");
        assert_eq!(with(&[swap, swap]), with(&[]), "{swap}");
    }
    let of_long = after(&[long, "swap payments 2026-01-19 2026-02-09"]);
    let overrides = &of_long.rotations["payments"].overrides;
    let week = (utc("2026-01-19 08:00"), utc("2026-01-26 08:00"));
    assert_eq!((overrides[1].from, overrides[1].until), week);
}

#[test]
fn a_line_that_is_not_understood_says_what_is() {
    for (line, says) in [
        (
            "overide payments cyd 4h",
            "there is no command `oncall overide`; type `oncall override`, or",
        ),
        (
            "override payments cyd",
            "write `oncall override ROTATION PERSON",
        ),
        ("override payments cyd soon", "write `oncall override"),
        ("take", "write `oncall take"),
        ("take payments soon", "write `oncall take"),
        ("swap payments 2026-01-19", "write `oncall swap"),
        (
            "swap payments 2026-01-19 monday",
            "`monday` is not a date and time",
        ),
        ("cancel", "`oncall list` shows the IDs"),
        ("show", "as in `oncall show payments`"),
        (
            "who at eight",
            "say when, as in `oncall who at 2026-12-24T18:00`",
        ),
    ] {
        let why = parse(line).unwrap_err();
        assert!(why.contains(says), "{line}: {why}");
    }
    assert_eq!(parse(""), Ok(OnCallLine::Who(None)));
    for line in ["who at 2026-12-24T20:00", "who at 2026-12-24 20:00"] {
        let at = "2026-12-24T20:00".parse().unwrap();
        assert_eq!(parse(line), Ok(OnCallLine::Who(Some(at))));
    }
    assert_eq!(
        parse("show payments"),
        Ok(OnCallLine::Show("payments".into()))
    );
    assert_eq!(parse("load"), Ok(OnCallLine::Load(None)));
    assert_eq!(
        parse("load payments"),
        Ok(OnCallLine::Load(Some("payments".into())))
    );
    let cancel = Cancel {
        id: "1f0c5a9e".into(),
    };
    assert_eq!(
        parse("cancel 1f0c5a9e"),
        Ok(OnCallLine::Change(cancel.into()))
    );
    let two_ends = json!({
        "action": "override", "rotation": "payments", "person": "cyd",
        "until": "2026-01-08T09:00", "for": "4h",
    });
    let action: OnCallAction = serde_json::from_value(two_ends).unwrap();
    let (roster, by) = (roster(), cyd());
    let (roster, by, now) = (&roster, &by, utc("2026-01-07 12:00"));
    let why = action.wanted(Asked { roster, by, now }).unwrap_err();
    assert!(why.to_string().contains("two ends"), "{why}");
}
