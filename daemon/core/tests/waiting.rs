//! Alerts that wait for others, and how a wait ends.

mod common;

use common::{MINUTE, World, opens};
use tocsin_core::alert::Place;
use tocsin_core::limits::WAIT_BYTES_MAX;
use tocsin_core::{Event, IncidentKey, Otherwise, Route, Target};

fn key(name: &str) -> IncidentKey {
    IncidentKey(name.to_owned())
}

fn target(name: &str) -> Target {
    Target {
        key: key(name),
        service: "checkout".to_owned(),
        team: None,
        title: None,
        merges: tocsin_core::Labels::new(),
    }
}

/// A world in which alerts wait under `checkout` for ten minutes.
fn waiting_for(count: u32, otherwise: Otherwise) -> World {
    World {
        route: Some(Route::Wait {
            target: target("checkout"),
            count,
            window_ms: 10 * MINUTE,
            otherwise,
        }),
        ..World::default()
    }
}

fn in_incident(world: &World) -> Place {
    let id = world.incident().id.clone();
    Place::Incident { id }
}

fn route_reason(world: &World) -> &str {
    match &world.stream[0].event {
        Event::Opened(opened) => &opened.route_reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn alerts_that_wait_open_one_incident_together() {
    let mut world = waiting_for(3, Otherwise::Open);
    world.fire("A");
    world.at(MINUTE).fire("B");
    assert!(world.incident.is_none());
    assert!(opens(&world.at(2 * MINUTE).fire("C")));
    for name in ["A", "B", "C"] {
        assert_eq!(world.alerts[name].place, in_incident(&world), "{name}");
    }
    let counts = world.tally.counts;
    assert_eq!((counts.total, counts.firing), (3, 3));
    assert!(world.waiting.is_empty());
    assert_eq!(route_reason(&world), "the test says so");
}

#[test]
fn an_alert_says_until_when_it_waits_and_a_repeat_prolongs_nothing() {
    let mut world = waiting_for(2, Otherwise::Ignore);
    world.at(MINUTE).fire("A");
    let until = world.alerts["A"].waits_until();
    assert_eq!(until.map(|it| it.0), Some(11 * 60_000));
    world.at(9 * MINUTE).fire("A");
    assert_eq!(world.alerts["A"].waits_until(), until);
}

#[test]
fn a_wait_in_vain_opens_the_incident_with_all_that_still_wait() {
    let mut world = waiting_for(3, Otherwise::Open);
    world.fire("A");
    world.at(6 * MINUTE).fire("B");
    assert!(opens(&world.at(10 * MINUTE).fire("A")));
    assert_eq!(world.alerts["B"].place, in_incident(&world));
    assert!(world.waiting.is_empty());
    let reason = "the test says so; fewer than 3 alerts came in time";
    assert_eq!(route_reason(&world), reason);
}

#[test]
fn a_wait_in_vain_can_be_ignored_and_does_not_begin_again() {
    let mut world = waiting_for(3, Otherwise::Ignore);
    world.fire("A");
    for minutes in [10, 12, 30] {
        world.at(minutes * MINUTE).fire("A");
        let place = Place::Ignored {
            reason: "the test says so; fewer than 3 alerts came in time".to_owned(),
            waited_under: Some(key("checkout")),
            watch: Some(Box::default()),
        };
        assert_eq!(world.alerts["A"].place, place, "after {minutes} minutes");
        assert!(world.waiting.is_empty());
    }
    world.fire("B");
    world.fire("C");
    assert!(
        world.incident.is_none(),
        "an ignored alert does not count any more"
    );
    assert!(opens(&world.fire("D")));
    world.fire("A");
    assert_eq!(world.alerts["A"].place, in_incident(&world));
}

#[test]
fn an_alert_that_ends_and_fires_again_waits_anew() {
    let mut world = waiting_for(2, Otherwise::Ignore);
    world.fire("A");
    world.at(MINUTE).end("A");
    world.at(9 * MINUTE).fire("A");
    let until = world.alerts["A"].waits_until();
    assert_eq!(until.map(|it| it.0), Some(19 * 60_000));
    assert!(opens(&world.at(18 * MINUTE).fire("B")));
}

#[test]
fn alerts_that_wait_too_far_apart_open_nothing_together() {
    let mut world = waiting_for(2, Otherwise::Ignore);
    world.fire("A");
    world.at(10 * MINUTE).fire("B");
    assert!(world.incident.is_none());
}

#[test]
fn an_alert_that_ended_while_it_waited_counts_and_does_not_join() {
    let mut world = waiting_for(2, Otherwise::Ignore);
    world.fire("A");
    world.at(MINUTE).end("A");
    assert!(opens(&world.at(2 * MINUTE).fire("B")));
    assert_eq!(world.tally.counts.firing, 1);
}

#[test]
fn an_alert_that_is_silenced_while_it_waits_no_longer_counts() {
    let mut world = waiting_for(2, Otherwise::Open);
    world.fire("A");
    world.silenced_by = vec!["s1".to_owned()];
    world.at(MINUTE).fire("A");
    assert!(world.waiting.is_empty());
    world.silenced_by.clear();
    world.fire("B");
    assert!(world.incident.is_none());
    assert!(
        opens(&world.at(2 * MINUTE).fire("A")),
        "its silence has ended"
    );
}

#[test]
fn an_alert_that_is_routed_elsewhere_leaves_those_that_wait() {
    let mut world = waiting_for(2, Otherwise::Open);
    world.fire("A");
    world.route = Some(Route::Wait {
        target: target("other"),
        count: 2,
        window_ms: 10 * MINUTE,
        otherwise: Otherwise::Open,
    });
    world.at(MINUTE).fire("A");
    let keys: Vec<_> = world.waiting.keys().cloned().collect();
    assert_eq!(keys, [key("other")]);
    world.route = Some(Route::Ignore);
    world.fire("A");
    assert!(world.waiting.is_empty());
}

#[test]
fn a_shorter_window_applies_to_alerts_that_wait() {
    let mut world = waiting_for(2, Otherwise::Open);
    world.fire("A");
    world.route = Some(Route::Wait {
        target: target("checkout"),
        count: 2,
        window_ms: MINUTE,
        otherwise: Otherwise::Open,
    });
    assert!(opens(&world.at(2 * MINUTE).fire("A")));
}

#[test]
fn a_row_of_a_version_whose_waits_did_not_end_gets_an_end() {
    let mut world = waiting_for(2, Otherwise::Ignore);
    world.at(MINUTE).fire("A");
    let alert = world.alerts.get_mut("A").unwrap();
    let stored = serde_json::json!({ "in": "waiting", "key": "checkout" });
    alert.place = serde_json::from_value(stored).unwrap();
    assert_eq!(alert.waits_until(), Some(alert.changed_at));
    world.at(2 * MINUTE).fire("A");
    let until = world.alerts["A"].waits_until();
    assert_eq!(until.map(|it| it.0), Some(11 * 60_000));
}

#[test]
fn when_the_names_fill_a_row_the_incident_opens_and_says_so() {
    let mut world = waiting_for(50, Otherwise::Ignore);
    let name_bytes = 250;
    let opened = (0..50).find(|n| opens(&world.fire(&format!("{n:0>name_bytes$}"))));
    assert!(opened.is_some_and(|it| it * name_bytes < WAIT_BYTES_MAX));
    assert!(route_reason(&world).ends_with("the names of 50 alerts do not fit into the store"));
}

#[test]
fn a_wait_counts_from_now_on_when_the_clock_was_set_back() {
    let mut world = waiting_for(3, Otherwise::Open);
    world.at(60 * MINUTE).fire("A");
    world.at(MINUTE).fire("A");
    let ends_at = world.now.plus_ms(10 * MINUTE);
    assert_eq!(
        world.alerts["A"].waits_until(),
        Some(ends_at),
        "and not an hour later"
    );
    world.at(5 * MINUTE).fire("A");
    assert_eq!(world.alerts["A"].waits_until(), Some(ends_at));
    assert!(opens(&world.at(11 * MINUTE).fire("A")));
}
