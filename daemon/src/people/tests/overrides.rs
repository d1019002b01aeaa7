//! Overrides that people make.

use std::sync::Arc;

use tocsin_core::Actor;
use tocsin_core::time::HOUR_MS;

use super::*;

const NOW: &str = "2026-01-06 00:00";

pub(super) fn new(person: &str, from: &str, until: &str) -> NewOverride {
    NewOverride {
        rotation: "primary".to_owned(),
        person: person.into(),
        from: utc(from),
        until: utc(until),
        reason: String::new(),
    }
}

pub(super) fn make(
    kept: &[Arc<MadeOverride>],
    new: NewOverride,
    request: &str,
    now: Timestamp,
) -> Result<Arc<MadeOverride>, OverrideRefusal> {
    let by = Actor::Person("ada".into());
    let made = make_overrides(kept, &roster(), vec![new], (request, &by, now))?;
    Ok(Arc::new(made.into_iter().next().unwrap()))
}

#[test]
fn an_override_that_makes_no_sense_is_refused_with_the_remedy() {
    let with = |change: fn(&mut NewOverride)| {
        let mut over = new("bob", "2026-01-06 10:00", "2026-01-06 12:00");
        change(&mut over);
        make(&[], over, "r", utc(NOW)).map(|it| it.id.clone())
    };
    assert!(with(|_| ()).is_ok());
    for (refused, says) in [
        (
            with(|it| it.rotation = "night".into()),
            "there is no rotation `night`; there are primary",
        ),
        (
            with(|it| it.person = "eve".into()),
            "there is no person `eve`; use one of ada, bob",
        ),
        (with(|it| it.until = it.from), "it ends before it begins"),
        (
            with(|it| (it.from, it.until) = (utc("2026-01-01 00:00"), utc(NOW))),
            "ended already",
        ),
        (
            with(|it| it.until = utc("2027-01-08 00:00")),
            "more than 366 days ahead",
        ),
        (
            with(|it| it.reason = "x".repeat(REASON_BYTES_MAX + 1)),
            "shorten it",
        ),
    ] {
        let why = refused.unwrap_err().to_string();
        assert!(why.contains(says), "{why}");
    }
}

#[test]
fn of_two_overrides_that_overlap_the_later_made_decides() {
    let mut roster = roster();
    let configured = Override {
        person: "ada".into(),
        from: utc("2026-01-06 00:00"),
        until: utc("2026-01-08 00:00"),
        id: None,
    };
    let primary = roster.rotations.get_mut("primary").unwrap();
    primary.overrides.push(configured);
    let long = new("bob", "2026-01-06 10:00", "2026-01-07 10:00");
    let short = new("cyd", "2026-01-06 12:00", "2026-01-06 14:00");
    let first = make(&[], long, "1", utc(NOW)).unwrap();
    let second = make(&[], short, "2", utc(NOW).plus_ms(1)).unwrap();
    // However they are read.
    for kept in [[&first, &second], [&second, &first]] {
        let roster = roster.with_overrides(&kept.map(Arc::clone));
        let rotation = &roster.rotations["primary"];
        for (at, who) in [
            ("2026-01-06 09:00", "ada"),
            ("2026-01-06 10:00", "bob"),
            ("2026-01-06 12:00", "cyd"),
            ("2026-01-06 14:00", "bob"),
            ("2026-01-07 10:00", "ada"),
        ] {
            assert_eq!(rotation.on_call(utc(at)), ids(&[who]), "{at}");
        }
    }
}

#[test]
fn the_later_made_decides_although_the_clock_was_set_back_in_between() {
    let over = |person| new(person, "2026-01-06 10:00", "2026-01-06 12:00");
    let first = make(&[], over("bob"), "1", utc("2026-01-06 10:30")).unwrap();
    for set_back in ["2026-01-06 10:15", "2026-01-06 10:30"] {
        let second = make(
            std::slice::from_ref(&first),
            over("cyd"),
            "2",
            utc(set_back),
        )
        .unwrap();
        let roster = roster().with_overrides(&[second, first.clone()]);
        let on_call = roster.rotations["primary"].on_call(utc("2026-01-06 11:00"));
        assert_eq!(on_call, ["cyd".into()], "set back to {set_back}");
    }
}

#[test]
fn an_override_of_somebody_who_left_counts_for_nothing() {
    let over = new("bob", "2026-01-06 10:00", "2026-01-07 10:00");
    let made = make(&[], over, "1", utc(NOW)).unwrap();
    let mut without = roster();
    without.people.remove(&PersonId::from("bob"));
    let roster = without.with_overrides(&[made]);
    let at = utc("2026-01-06 11:00");
    assert_eq!(roster.rotations["primary"].on_call(at), ids(&["ada"]));
}

#[test]
fn a_canceled_override_leaves_what_has_passed() {
    let over = new("bob", "2026-01-06 10:00", "2026-01-07 10:00");
    let kept = [make(&[], over, "1", utc(NOW)).unwrap()];
    let id = kept[0].id.as_str();
    let (canceled, rest) = cancel_override(&kept, id, utc(NOW)).unwrap();
    assert_eq!((&canceled, rest), (&*kept[0], None), "it had not begun");
    let at = utc("2026-01-06 12:00");
    let (_, rest) = cancel_override(&kept, id, at).unwrap();
    assert_eq!(rest.unwrap().until, at);
    let ended = cancel_override(&kept, id, utc("2026-01-07 10:00")).unwrap_err();
    assert_eq!(ended, OverrideRefusal::Ended(id.to_owned()));
    let unknown = cancel_override(&kept, "x", at).unwrap_err();
    assert_eq!(unknown, OverrideRefusal::Unknown("x".to_owned()));
}

#[test]
fn a_rotation_has_a_limited_number_of_overrides_and_ended_ones_go_first() {
    let mut kept = Vec::new();
    for number in 0..OVERRIDES_LIVE_MAX {
        let over = new("bob", "2026-01-06 10:00", "2026-01-07 10:00");
        kept.push(make(&kept, over, &number.to_string(), utc(NOW)).unwrap());
    }
    let more = new("bob", "2026-01-06 10:00", "2026-01-07 10:00");
    let refused = make(&kept, more.clone(), "x", utc(NOW)).unwrap_err();
    assert_eq!(refused, OverrideRefusal::TooMany("primary".to_owned()));
    // Those that have ended take no place of live ones, until there are too many of them.
    let later = utc("2026-01-07 10:00");
    for number in 0..OVERRIDES_KEPT_MAX - OVERRIDES_LIVE_MAX {
        let from = later.minus_ms(HOUR_MS * u64::try_from(number).unwrap());
        let old = MadeOverride {
            id: format!("old {number}"),
            until: from,
            ..MadeOverride::clone(&kept[0])
        };
        kept.push(Arc::new(old));
    }
    assert_eq!(
        crowded_out(&kept, "primary", 0, later),
        Vec::<&MadeOverride>::new()
    );
    let out = crowded_out(&kept, "primary", 1, later);
    let oldest = OVERRIDES_KEPT_MAX - OVERRIDES_LIVE_MAX - 1;
    assert_eq!(
        out[0].id,
        format!("old {oldest}"),
        "the one that ended first"
    );
}

#[test]
fn ids_are_short_and_two_requests_do_not_share_one() {
    let over = || new("bob", "2026-01-06 10:00", "2026-01-07 10:00");
    let first = make(&[], over(), "1", utc(NOW)).unwrap();
    assert_eq!(first.id.len(), 8);
    let again = make(&[Arc::clone(&first)], over(), "1", utc(NOW)).unwrap();
    assert_ne!(again.id, first.id);
}
