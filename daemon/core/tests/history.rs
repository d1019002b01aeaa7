//! The history of alerts: which signals leave an entry.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod common;

use common::{MINUTE, World, signal};
use tocsin_core::alert::Place;
use tocsin_core::intake::{HistoryKind, Intake};
use tocsin_core::{Labels, Otherwise, Route, SignalStatus, Target, Timestamp};

fn kinds(intake: &Intake) -> Vec<(&str, HistoryKind)> {
    let entries = intake.history.iter();
    entries
        .map(|it| (it.fingerprint.as_str(), it.kind))
        .collect()
}

#[test]
fn a_signal_that_changes_an_alert_leaves_an_entry_and_a_repeat_leaves_none() {
    let mut world = World::default();
    assert_eq!(kinds(&world.fire("A")), [("A", HistoryKind::Began)]);
    assert_eq!(kinds(&world.at(MINUTE).fire("A")), [], "a repeat");
    let mut worse = signal("A", SignalStatus::Firing, world.now);
    worse.labels.insert("severity".into(), "critical".into());
    let changed = world.at(2 * MINUTE).send(worse).unwrap();
    assert_eq!(kinds(&changed), [("A", HistoryKind::Changed)]);
    let entry = &changed.history[0];
    assert_eq!(entry.labels["severity"], "critical");
    assert_eq!(entry.at, world.now);
    let id = world.incident().id.clone();
    assert_eq!(entry.place, Place::Incident { id });
    let acknowledged = world.say("A", SignalStatus::Acknowledged).unwrap();
    assert_eq!(kinds(&acknowledged), [("A", HistoryKind::Acknowledged)]);
    let again = world.say("A", SignalStatus::Acknowledged).unwrap();
    assert_eq!(kinds(&again), [], "it is acknowledged");
    let ended = world.at(3 * MINUTE).end("A");
    assert_eq!(kinds(&ended), [("A", HistoryKind::Ended)]);
    assert!(!ended.history[0].firing);
    assert_eq!(kinds(&world.at(4 * MINUTE).end("A")), [], "it is over");
    let again = world.at(5 * MINUTE).fire("A");
    assert_eq!(kinds(&again), [("A", HistoryKind::Began)]);
}

#[test]
fn alerts_that_waited_leave_an_entry_when_they_enter_an_incident() {
    let target = Target {
        merges: Labels::new(),
        key: "checkout".into(),
        service: "checkout".to_owned(),
        team: None,
        title: None,
    };
    let mut world = World {
        route: Some(Route::Wait {
            target,
            count: 2,
            window_ms: 10 * MINUTE,
            otherwise: Otherwise::Open,
        }),
        ..World::default()
    };
    assert_eq!(kinds(&world.fire("A")), [("A", HistoryKind::Began)]);
    let joined = world.at(MINUTE).fire("B");
    let expected = [("B", HistoryKind::Began), ("A", HistoryKind::Changed)];
    assert_eq!(kinds(&joined), expected);
}

#[test]
fn a_dead_mans_switch_leaves_no_entry_each_time_it_is_heard_of() {
    let mut world = World::default();
    let mut entries = Vec::new();
    for minute in 0..9 {
        let mut heard = signal("A", SignalStatus::Resolved, world.at(minute * MINUTE).now);
        heard.fires_at = Some(world.now.plus_ms(5 * MINUTE));
        entries.extend(world.send(heard).unwrap().history);
    }
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].place, Place::Expected {});
}

#[test]
fn the_entries_of_an_alert_are_distinct_and_in_order_although_the_clock_is_set_back() {
    let mut world = World::default();
    let mut times = Vec::new();
    for ms in [9_000, 9_000, 4_000, 4_000, 4_000, 9_001, 20_000] {
        world.at(ms);
        let is_firing = world.alerts.get("A").is_some_and(|it| it.firing);
        let said = match is_firing {
            true => world.end("A"),
            false => {
                world.starts_at = Some(Timestamp(times.len() as i64));
                world.fire("A")
            }
        };
        times.extend(said.history.iter().map(|it| it.at.0));
    }
    assert_eq!(times, [9_000, 9_001, 9_002, 9_003, 9_004, 9_005, 20_000]);
}
