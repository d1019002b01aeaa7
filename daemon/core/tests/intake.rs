//! Signals that open, join, repeat, wait, flood, end and reopen.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod common;

use common::{MINUTE, World, ada, opens, signal};
use tocsin_core::alert::{Counts, Place};
use tocsin_core::command::Command;
use tocsin_core::incident::Incident;
use tocsin_core::intake::{AlertGrade, Assignment, Known, Needed, Routed, needed};
use tocsin_core::{
    Event, Grade, Grading, IncidentKey, Labels, Route, Signal, SignalStatus, Status, Target,
    Timestamp,
};

fn target() -> Target {
    Target {
        key: IncidentKey("checkout".to_owned()),
        service: "checkout".to_owned(),
        team: None,
        title: None,
        merges: tocsin_core::Labels::new(),
    }
}

#[test]
fn a_repeat_changes_the_alert_and_adds_no_event() {
    let mut world = World::default();
    world.fire("A");
    let events = world.stream.len();
    for minute in 1..=4 {
        let intake = world.at(minute * MINUTE).fire("A");
        assert!(intake.incidents.is_empty());
    }
    assert_eq!(world.stream.len(), events);
    assert_eq!(world.alerts["A"].repeats, 4);
    assert_eq!(
        world.tally.counts,
        Counts {
            total: 1,
            firing: 1
        }
    );
}

#[test]
fn a_repeat_with_new_content_is_kept_and_its_start_stays_the_earliest() {
    let mut world = World::default();
    world.fire("A");
    let began = world.now;
    let mut repeat = signal("A", SignalStatus::Firing, began);
    assert!(!world.alerts["A"].differs_from(&repeat), "the same again");
    let label = |name: &str, value: &str| Labels::from([(name.to_owned(), value.to_owned())]);
    type Change = fn(&mut Signal, Labels);
    let changes: [(&str, Change); 5] = [
        ("title", |it, _| it.title = "A is worse".to_owned()),
        ("summary", |it, _| it.summary = "now all of it".to_owned()),
        ("labels", |it, labels| it.labels = labels),
        ("annotations", |it, labels| it.annotations = labels),
        ("link", |it, _| {
            it.link = Some("https://a.example".to_owned())
        }),
    ];
    for (minute, (what, change)) in (1..).zip(changes) {
        change(&mut repeat, label("severity", "critical"));
        repeat.starts_at = Timestamp((minute * MINUTE) as i64);
        assert!(world.alerts["A"].differs_from(&repeat), "{what}");
        let intake = world.at(minute * MINUTE).send(repeat.clone()).unwrap();
        let events = intake.incidents.iter().flat_map(|it| &it.outcome.events);
        assert_eq!(events.count(), 0, "{what}");
        let alert = &world.alerts["A"];
        assert!(!alert.differs_from(&repeat), "{what}");
        assert_eq!((alert.starts_at, alert.repeats), (began, minute), "{what}");
    }
    let alert = &world.alerts["A"];
    assert_eq!(alert.title, "A is worse");
    assert_eq!(alert.summary, "now all of it");
    assert_eq!(alert.labels, label("severity", "critical"));
    assert_eq!(alert.annotations, alert.labels);
    assert_eq!(alert.link.as_deref(), Some("https://a.example"));
    repeat.starts_at = Timestamp(-1);
    assert!(alert.differs_from(&repeat), "an earlier start");
}

#[test]
fn a_storm_of_100_000_alerts_leaves_a_bounded_history_with_exact_counts() {
    let mut world = World::default();
    for number in 0..100_000_u64 {
        world.at(number / 10).fire(&format!("A{number}"));
    }
    world.run_until(30_000);
    assert_eq!(
        world.tally.counts,
        Counts {
            total: 100_000,
            firing: 100_000
        }
    );
    assert_eq!(
        world.incident().counts,
        world.tally.counts,
        "the stream got the exact counts"
    );
    assert!(world.stream.len() < 10, "{} events", world.stream.len());
    assert_eq!(world.paged().len(), 1, "a storm pages once");
}

#[test]
fn an_incident_resolves_automatically_when_nothing_has_fired_for_a_while() {
    let mut world = World::default();
    world.fire("A");
    world.fire("B");
    world.at(MINUTE).end("A");
    assert!(world.tally.clear_due.is_none(), "B still fires");
    world.at(2 * MINUTE).end("B");
    world.run_until(3 * MINUTE - 1);
    assert_eq!(world.incident().lifecycle.status, Status::Open);
    world.run_until(3 * MINUTE);
    assert_eq!(world.incident().lifecycle.status, Status::Resolved);
}

#[test]
fn an_alert_that_flaps_within_the_wait_keeps_the_incident_open_and_the_history_short() {
    let mut world = World::default();
    world.fire("A");
    for second in 1..600_u64 {
        world.run_until(second * 1_000);
        if second % 2 == 1 {
            world.end("A");
        } else {
            world.fire("A");
        }
    }
    assert_eq!(world.incident().lifecycle.status, Status::Open);
    assert!(world.stream.len() < 40, "{} events", world.stream.len());
}

#[test]
fn an_alert_that_fires_again_soon_reopens_its_incident_and_pages_again() {
    let mut world = World::default();
    world.fire("A");
    world
        .command(
            Command::Acknowledge {
                via: "slack".to_owned(),
            },
            &ada(),
        )
        .unwrap();
    world.at(MINUTE).end("A");
    world.resolve();
    world.run_until(10 * MINUTE);
    let intake = world.fire("A");
    assert!(!opens(&intake));
    assert_eq!(world.incident().lifecycle.status, Status::Open);
    assert_eq!(world.incident().lifecycle.reopens, 1);
    assert_eq!(world.incident().lifecycle.acknowledged_at, None);
    assert_eq!(world.paged().len(), 2);
    assert_eq!(
        world.tally.counts,
        Counts {
            total: 1,
            firing: 1
        },
        "the alert is the same"
    );
}

#[test]
fn an_alert_that_fires_again_late_opens_a_new_incident() {
    let mut world = World::default();
    world.fire("A");
    world.end("A");
    world.run_until(2 * MINUTE);
    let intake = world.at(45 * MINUTE).fire("A");
    assert!(opens(&intake));
    assert_eq!(world.incident().number, 2);
}

#[test]
fn silenced_and_ignored_alerts_are_stored_and_open_nothing() {
    let mut world = World {
        silenced_by: vec!["s1".to_owned()],
        ..World::default()
    };
    world.fire("A");
    assert_eq!(
        world.alerts["A"].place,
        Place::Silenced {
            by: vec!["s1".to_owned()]
        }
    );
    world.silenced_by.clear();
    world.route = Some(Route::Ignore);
    world.fire("B");
    assert!(matches!(world.alerts["B"].place, Place::Ignored { .. }));
    assert!(world.incident.is_none());
    world.route = None;
    assert!(
        opens(&world.fire("A")),
        "a repeat after its silence ended is routed"
    );
}

#[test]
fn an_alert_that_was_ignored_for_a_while_is_counted_once_in_its_incident() {
    let mut world = World::default();
    world.fire("A");
    world.fire("B");
    assert_eq!(
        (world.tally.counts.total, world.tally.counts.firing),
        (2, 2)
    );
    world.at(MINUTE).end("A");
    world.route = Some(Route::Ignore);
    world.at(10 * MINUTE).fire("A");
    assert!(matches!(world.alerts["A"].place, Place::Ignored { .. }));
    world.at(11 * MINUTE).end("A");
    world.route = None;
    world.at(20 * MINUTE).fire("A");
    assert_eq!(
        (world.tally.counts.total, world.tally.counts.firing),
        (2, 2)
    );
}

#[test]
fn which_policies_must_be_evaluated_follows_from_the_state() {
    let mut world = World::default();
    world.fire("A");
    let (incident, tally) = (world.incident(), &world.tally);
    let now = world.now;
    let ask = |name: &str, routed: Option<Routed<'_>>, whole: bool| {
        let known = Known {
            alert: world.alerts.get(name),
            home: world.alerts.get(name).map(|_| (incident, tally)),
            target: Some((incident, tally)),
            ..Known::default()
        };
        let signal = signal(name, SignalStatus::Firing, now);
        match needed(&signal, &known, routed, whole, now, &world.delays) {
            Needed::Nothing => "nothing",
            Needed::Route => "route",
            Needed::Grade(Assignment::Join(..)) => "grade, to join",
            Needed::Opening(Assignment::Join(..)) => "a plan, to join",
            Needed::Grade(_) | Needed::Opening(_) => "something else",
        }
    };
    let (here, nowhere) = (Route::Incident(target()), Route::Ignore);
    let routed = |route, is_silenced, grade| {
        Some(Routed {
            route,
            is_silenced,
            grade,
        })
    };
    let of = |shape: &str, grade| AlertGrade {
        shape: shape.to_owned(),
        grading: Grading {
            grade,
            security: false,
            unsure: false,
        },
    };
    assert_eq!(ask("A", None, false), "nothing", "it only repeats");
    assert_eq!(
        ask("A", None, true),
        "route",
        "unless something was missing"
    );
    assert_eq!(ask("B", None, false), "route");
    assert_eq!(
        ask("B", routed(&here, false, None), false),
        "grade, to join"
    );
    assert_eq!(ask("B", routed(&here, true, None), false), "nothing");
    assert_eq!(ask("B", routed(&nowhere, false, None), true), "nothing");
    let standing = world.tally.standing.as_ref().unwrap();
    let known = of(&standing.groups[0].shape, Grade::Major);
    let worse = of(&standing.groups[0].shape, Grade::Critical);
    let new = of("new", Grade::Minor);
    assert_eq!(
        ask("B", routed(&here, false, Some(&known)), false),
        "nothing"
    );
    for grade in [&worse, &new] {
        let asked = ask("B", routed(&here, false, Some(grade)), false);
        assert_eq!(asked, "a plan, to join", "{grade:?}");
    }
    let whole = ask("B", routed(&here, false, Some(&known)), true);
    assert_eq!(whole, "a plan, to join");
}

#[test]
fn a_policy_raises_a_grade_and_never_lowers_it() {
    let mut world = World {
        grade: Some(Grade::Major),
        ..World::default()
    };
    world.fire("A");
    world.grade = Some(Grade::Minor);
    world.fire("B");
    assert_eq!(world.incident().grading.grade, Grade::Major);
    world.grade = Some(Grade::Critical);
    world.fire("C");
    assert_eq!(world.incident().grading.grade, Grade::Critical);
}

#[test]
fn after_a_person_has_graded_a_policy_only_proposes() {
    let mut world = World {
        grade: Some(Grade::Minor),
        ..World::default()
    };
    world.fire("A");
    let reason = "a test customer".to_owned();
    let command = Command::Grade {
        grade: Grade::Minor,
        security: None,
        may_declassify: false,
        reason,
        replan: None,
    };
    world.command(command, &ada()).unwrap();
    world.grade = Some(Grade::Critical);
    world.fire("B");
    assert_eq!(world.incident().grading.grade, Grade::Minor);
    assert_eq!(
        world.count(|it| matches!(it, Event::GradeProposed { .. })),
        1
    );
}

#[test]
fn a_flag_that_was_set_meanwhile_is_removed_only_by_somebody_with_clearance() {
    let mut world = World::default();
    world.fire("A");
    let flag = |security, may_declassify| Command::Grade {
        grade: Grade::Major,
        security: Some(security),
        may_declassify,
        reason: "a key may have leaked".to_owned(),
        replan: None,
    };
    // Whoever sent this saw an incident without the flag, or set it themselves.
    let clears = flag(false, false);
    world.command(clears.clone(), &ada()).unwrap();
    world.command(flag(true, false), &ada()).unwrap();
    let refused = world.command(clears, &ada()).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "only a person with clearance may remove the security flag"
    );
    assert!(world.incident().grading.security);
    world.command(flag(false, true), &ada()).unwrap();
    assert!(!world.incident().grading.security);
}

#[test]
fn a_senders_own_acknowledgement_stops_the_escalation() {
    let mut world = World::default();
    world.fire("A");
    world.say("A", SignalStatus::Acknowledged).unwrap();
    assert!(world.incident().lifecycle.acknowledged_at.is_some());
    assert_eq!(
        world.incident().roles.operator,
        None,
        "a sender is nobody's operator"
    );
}

#[test]
fn folding_event_by_event_equals_replaying_the_stream() {
    let mut world = World::default();
    world.fire("A");
    world.run_until(17 * MINUTE);
    world
        .command(
            Command::Acknowledge {
                via: "slack".to_owned(),
            },
            &ada(),
        )
        .unwrap();
    world.end("A");
    world.run_until(20 * MINUTE);
    let id = world.incident().id.clone();
    let (first, rest) = world.stream.split_first().unwrap();
    let mut state = Incident::begin(&id, first).unwrap();
    for (at, recorded) in rest.iter().enumerate() {
        state = state.fold(recorded);
        assert_eq!(
            state,
            Incident::replay(&id, &world.stream[..at + 2]).unwrap()
        );
    }
    assert_eq!(state.version, world.stream.len() as u64);
}

#[test]
fn a_very_large_alert_still_opens_its_incident_within_a_stores_largest_value() {
    let mut world = World::default();
    world.fire("A");
    let Event::Opened(opened) = &world.stream[0].event else {
        panic!("not opened")
    };
    let mut opened = opened.clone();
    let input = Some(std::sync::Arc::new(
        serde_json::json!({ "text": "x".repeat(2_000) }),
    ));
    for source in [
        &mut opened.plan_source,
        &mut opened.grade_source,
        &mut opened.route_source,
    ] {
        source.as_mut().unwrap().input.clone_from(&input);
    }
    opened.summary = "y".repeat(2_048);
    opened.link = Some("z".repeat(1_000));
    let label = |number: usize| (format!("label-{number}"), "\"".repeat(90));
    opened.labels = (0..60).map(label).collect();
    let fitted = Event::Opened(opened.clone()).fitted();
    let bytes = serde_json::to_vec(&fitted).unwrap().len();
    assert!(bytes <= tocsin_core::event::EVENT_BYTES_MAX, "{bytes}");
    let Event::Opened(fitted) = fitted else {
        panic!("not opened")
    };
    assert_eq!((fitted.grade, fitted.title), (opened.grade, opened.title));
}

#[test]
fn a_late_duplicate_of_an_ended_alert_does_not_restart_it() {
    let mut world = World::default();
    world.fire("A");
    let began = world.alerts["A"].starts_at;
    world.at(MINUTE).end("A");
    world.now = tocsin_core::Timestamp((MINUTE + 5_000) as i64);
    world.starts_at = Some(began);
    assert!(
        world.fire("A").alerts.is_empty(),
        "the same start time, five seconds after the end"
    );
    world.at(2 * MINUTE);
    assert!(
        !world.fire("A").alerts.is_empty(),
        "later it counts as firing"
    );
}
