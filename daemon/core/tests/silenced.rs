//! Silences that begin and end while their alerts are in an incident: when its escalation pauses,
//! and when it resumes.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

mod common;

use common::{MINUTE, World, ada, opens, people, plan_of, take_all};
use proptest::prelude::*;
use tocsin_core::command::{Command, Refusal};
use tocsin_core::consequences::{Notice, TimerKind};
use tocsin_core::incident::PageState;
use tocsin_core::{Actor, Grade, SignalStatus, narrate};

/// An incident of these alerts, whose first page was accepted at 0.
fn paged(alerts: &[&str]) -> World {
    let mut world = World::default();
    for name in alerts {
        world.fire(name);
    }
    take_all(&mut world);
    world
}

fn said(world: &World) -> String {
    narrate(world.incident(), world.stream.last().unwrap())
}

fn is_paused(world: &World) -> bool {
    let timers = world.timers();
    let waits = |it: &TimerKind| matches!(it, TimerKind::Escalation | TimerKind::Contact { .. });
    world.incident().escalation.silenced && !timers.iter().any(|it| waits(&it.kind))
}

#[test]
fn an_escalation_pauses_while_every_firing_alert_is_silenced_and_then_waits_anew() {
    let mut world = paged(&["a", "b"]);
    world.at(MINUTE).silence("a", &["s"], &[]).unwrap();
    assert!(!is_paused(&world));
    world.silence("b", &["s", "t"], &[]).unwrap();
    assert!(is_paused(&world));
    assert_eq!(
        said(&world),
        "escalation pauses: every firing alert is silenced by ada (s) and ada (t)"
    );
    world.run_until(60 * MINUTE);
    assert_eq!(people(&world), ["ada"]);
    world.silence("b", &["s"], &[("t", 1)]).unwrap();
    assert!(is_paused(&world));
    world.silence("a", &[], &[("s", 2)]).unwrap();
    assert_eq!(
        said(&world),
        "escalation resumes: the silence by ada (s) has ended; it hid 2 alerts"
    );
    world.run_until(64 * MINUTE);
    assert_eq!(people(&world), ["ada"]);
    world.run_until(65 * MINUTE);
    assert_eq!(people(&world), ["ada", "ada", "bob"]);
}

#[test]
fn an_alert_that_is_not_silenced_resumes_it() {
    let mut world = paged(&["a"]);
    world.silence("a", &["s"], &[]).unwrap();
    world.run_until(60 * MINUTE);
    assert!(!opens(&world.fire("b")));
    assert_eq!(
        said(&world),
        "escalation resumes: `b` fires and is not silenced"
    );
    world.run_until(64 * MINUTE);
    assert_eq!(people(&world), ["ada"]);
    world.run_until(65 * MINUTE);
    assert_eq!(people(&world), ["ada", "ada", "bob"]);
}

#[test]
fn it_pauses_when_the_last_alert_that_is_not_silenced_ends() {
    let mut world = paged(&["a", "b"]);
    world.silence("a", &["s"], &[]).unwrap();
    assert!(!is_paused(&world));
    world.end("b");
    assert!(is_paused(&world));
    assert!(said(&world).ends_with("silenced by ada (s)"));
}

#[test]
fn it_does_not_resume_when_the_last_silenced_alert_ends() {
    let mut world = paged(&["a"]);
    world.silence("a", &["s"], &[]).unwrap();
    world.end("a");
    assert!(is_paused(&world));
    assert_eq!(world.tally.silenced, 0);
    world.run_until(2 * MINUTE);
    assert!(!world.incident().is_active());
    assert_eq!(people(&world), ["ada"]);
    // It reopens as any other.
    world.fire("a");
    assert_eq!(people(&world), ["ada", "ada"]);
}

#[test]
fn a_pause_ends_pages_that_nobody_has_accepted_and_they_are_sent_again_after_it() {
    let mut world = World {
        plan: Some(plan_of(&[&["ada"], &["bob"]])),
        ..World::default()
    };
    world.fire("a");
    world.silence("a", &["s"], &[]).unwrap();
    assert!(is_paused(&world));
    assert_eq!(world.incident().paging.pages[&1].state, PageState::Settled);
    world.run_until(60 * MINUTE);
    assert_eq!(people(&world), ["ada"]);
    world.silence("a", &[], &[]).unwrap();
    assert_eq!(
        said(&world),
        "escalation resumes: `a` is no longer silenced"
    );
    world.run_until(60 * MINUTE);
    assert_eq!(people(&world), ["ada", "ada"]);
    take_all(&mut world);
    world.run_until(65 * MINUTE);
    assert_eq!(people(&world), ["ada", "ada", "bob"]);
}

#[test]
fn a_page_that_was_accepted_before_a_pause_climbs_on_after_it() {
    let mut world = paged(&["a"]);
    let channels = |world: &World| {
        let pages = world.notices.iter();
        pages.filter(|it| matches!(it, Notice::Page { .. })).count()
    };
    world.silence("a", &["s"], &[]).unwrap();
    world.run_until(60 * MINUTE);
    assert_eq!(channels(&world), 1);
    world.silence("a", &[], &[("s", 1)]).unwrap();
    world.run_until(61 * MINUTE);
    assert_eq!(
        channels(&world),
        1,
        "her first rung waits for two minutes again"
    );
    world.run_until(62 * MINUTE);
    assert_eq!(channels(&world), 2, "by mail");
    assert_eq!(people(&world), ["ada"]);
}

#[test]
fn whoever_was_not_reached_before_a_pause_is_paged_after_it_although_another_was() {
    let mut world = World {
        plan: Some(plan_of(&[&["ada", "bob"]])),
        ..World::default()
    };
    world.fire("a");
    let accepted = Command::PageAccepted {
        page: 1,
        contact: 0,
        interrupted: false,
        others: 0,
    };
    world.command(accepted, &Actor::Tocsin).unwrap();
    world.silence("a", &["s"], &[]).unwrap();
    world.silence("a", &[], &[("s", 1)]).unwrap();
    world.run_until(0);
    assert_eq!(people(&world), ["ada", "bob", "bob"]);
}

#[test]
fn an_acknowledged_incident_needs_no_pause_and_nobody_is_paged_after_it() {
    let mut world = paged(&["a"]);
    let ack = Command::Acknowledge { via: "api".into() };
    world.command(ack.clone(), &ada()).unwrap();
    // The policy says who responds.
    world.run_until(0);
    let events = world.stream.len();
    world.silence("a", &["s"], &[]).unwrap();
    world.silence("a", &[], &[("s", 1)]).unwrap();
    world.run_until(60 * MINUTE);
    assert_eq!(world.stream.len(), events);
    assert_eq!(people(&world), ["ada"]);

    let mut world = paged(&["a"]);
    world.silence("a", &["s"], &[]).unwrap();
    world.command(ack, &ada()).unwrap();
    world.silence("a", &[], &[("s", 1)]).unwrap();
    world.run_until(60 * MINUTE);
    assert_eq!(people(&world), ["ada"]);
}

#[test]
fn a_withdrawn_acknowledgement_pages_nobody_while_all_are_silenced() {
    let mut world = paged(&["a"]);
    let ack = Command::Acknowledge { via: "api".into() };
    world.command(ack, &ada()).unwrap();
    world.silence("a", &["s"], &[]).unwrap();
    let withdraw = Command::Unacknowledge { reason: None };
    let outcome = world.command(withdraw, &ada()).unwrap();
    assert!(outcome.reply.contains("every firing alert is silenced"));
    assert!(is_paused(&world));
    world.run_until(60 * MINUTE);
    assert_eq!(people(&world), ["ada"]);
    world.silence("a", &[], &[("s", 1)]).unwrap();
    world.run_until(60 * MINUTE);
    // The plan starts again, without waiting for who withdrew.
    assert_eq!(people(&world), ["ada", "ada", "bob"]);
}

#[test]
fn a_plan_that_comes_during_a_pause_begins_at_once_when_it_ends() {
    let mut world = paged(&["a"]);
    world.silence("a", &["s"], &[]).unwrap();
    world.grade = Some(Grade::Critical);
    world.plan = Some(plan_of(&[&["eve"]]));
    world.run_until(60 * MINUTE);
    world.fire("b");
    assert_eq!(people(&world), ["ada"]);
    world.run_until(60 * MINUTE);
    assert_eq!(people(&world), ["ada", "eve"]);
}

#[test]
fn an_incident_without_a_plan_pages_nobody_when_its_silence_ends() {
    let mut world = World {
        grade: Some(Grade::Minor),
        plan: Some(plan_of(&[])),
        ..World::default()
    };
    world.fire("a");
    world.silence("a", &["s"], &[]).unwrap();
    world.silence("a", &[], &[("s", 1)]).unwrap();
    world.run_until(60 * MINUTE);
    assert_eq!(people(&world), [""; 0]);
}

#[test]
fn silences_of_other_labels_are_matched_again() {
    let mut world = paged(&["a"]);
    let alert = world.alerts.get_mut("a").unwrap();
    let labels = std::mem::take(&mut alert.labels);
    let refused = world.silence_of("a", (&["s"], &[]), labels);
    assert_eq!(refused.unwrap_err(), Refusal::NeedsVerdict);
}

/// What may happen to the alerts of an incident.
#[derive(Clone, Copy, Debug)]
enum Act {
    Fire(usize),
    End(usize),
    Silence(usize, bool),
    Acknowledge,
    Withdraw,
    Resolve,
    Wait(u64),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0_usize..4).prop_map(Act::Fire),
        3 => (0_usize..4).prop_map(Act::End),
        6 => (0_usize..4, any::<bool>()).prop_map(|(at, is)| Act::Silence(at, is)),
        1 => Just(Act::Acknowledge),
        1 => Just(Act::Withdraw),
        1 => Just(Act::Resolve),
        3 => (1_u64..20).prop_map(Act::Wait),
    ]
}

fn perform(world: &mut World, act: Act) {
    const NAMES: [&str; 4] = ["a", "b", "c", "d"];
    let ack = Command::Acknowledge { via: "api".into() };
    let resolve = Command::Resolve {
        reason: "done".into(),
    };
    // What is refused in some states is not what this is about.
    match act {
        Act::Fire(at) => drop(world.say(NAMES[at], SignalStatus::Firing)),
        Act::End(at) => drop(world.say(NAMES[at], SignalStatus::Resolved)),
        Act::Silence(at, is) => {
            if world.alerts.contains_key(NAMES[at]) {
                let by: &[&str] = if is { &["s"] } else { &[] };
                world.silence(NAMES[at], by, &[]).unwrap();
            }
        }
        Act::Acknowledge => drop(world.command(ack, &ada())),
        Act::Withdraw => drop(world.command(Command::Unacknowledge { reason: None }, &ada())),
        Act::Resolve => drop(world.command(resolve, &ada())),
        Act::Wait(minutes) => {
            let until = u64::try_from(world.now.0).unwrap() + minutes * MINUTE;
            world.run_until(until);
        }
    }
}

proptest! {
    #[test]
    fn the_count_of_silenced_alerts_is_exact_and_nobody_is_paged_while_all_are(
        acts in proptest::collection::vec(act(), 1..60)
    ) {
        let mut world = World::default();
        world.fire("a");
        for act in acts {
            let (was_paused, pages) = (world.incident().escalation.silenced, world.paged().len());
            perform(&mut world, act);
            let (incident, tally) = (world.incident(), &world.tally);
            let its = world.alerts.values().filter(|it| {
                it.firing && it.incident() == Some(&incident.id)
            });
            let silenced = its.filter(|it| !it.silenced_by.is_empty());
            prop_assert_eq!(tally.silenced, silenced.count() as u64, "{:?}", act);
            let all = tally.counts.firing > 0 && tally.silenced >= tally.counts.firing;
            let is_paused = incident.escalation.silenced;
            if incident.is_unanswered() && tally.counts.firing > 0 {
                prop_assert_eq!(is_paused, all, "{:?}", act);
            }
            if is_paused {
                prop_assert_eq!(incident.escalation.due, None);
                prop_assert!(incident.paging.pages.values().all(|it| !it.is_underway()));
                if was_paused {
                    prop_assert_eq!(world.paged().len(), pages, "{:?}", act);
                }
            }
            let mut ended = world.alerts.values().filter(|it| !it.firing);
            prop_assert!(ended.all(|it| it.silenced_by.is_empty()));
        }
    }
}
