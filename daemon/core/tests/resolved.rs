//! Alerts that fire after a person has resolved their incident: who is believed, and for how long.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod common;

use common::{MINUTE, World, ada, opens};
use tocsin_core::command::{Channels, Command, Env, Outcome, Refusal};
use tocsin_core::consequences::TimerKind;
use tocsin_core::intake::{Intake, end_by_hand};
use tocsin_core::{Event, Grade, Sender, SignalStatus, Status, narrate};

const REPEATS: Sender = Sender {
    repeats: true,
    resolves: true,
};
const ONCE: Sender = Sender {
    repeats: false,
    resolves: true,
};
const NEVER_RESOLVES: Sender = Sender {
    repeats: true,
    resolves: false,
};

/// An incident with alert A of this sender, which Ada resolves after ten minutes.
fn resolved(sender: Sender) -> World {
    let mut world = World {
        sender,
        ..World::default()
    };
    world.fire("A");
    world.at(10 * MINUTE).resolve();
    world
}

fn status(world: &World) -> Status {
    world.incident().lifecycle.status
}

/// Why it reopened last.
fn reason(world: &World) -> String {
    let mut reasons = world.stream.iter().rev().filter_map(|it| match &it.event {
        Event::Reopened { reason } => Some(reason.clone()),
        _ => None,
    });
    reasons.next().unwrap()
}

#[test]
fn a_sender_that_triggers_once_reopens_at_once_and_the_log_says_who_resolved_it() {
    for is_swept in [false, true] {
        let mut world = resolved(ONCE);
        if is_swept {
            world.sweep();
            assert!(!world.alerts["A"].firing);
        }
        let pages = world.paged().len();
        world.at(22 * MINUTE).fire("A");
        assert_eq!(status(&world), Status::Open);
        assert_eq!(world.paged().len(), pages + 1, "somebody is paged");
        assert_eq!(
            reason(&world),
            "`A` fires again; ada resolved it 12 min ago"
        );
        let counts = world.tally.counts;
        assert_eq!((counts.total, counts.firing), (1, 1), "it is counted once");
        assert_eq!(world.alerts["A"].repeats, 0, "that is no repeat");
        world.sweep();
        assert!(world.alerts["A"].firing, "it was heard of since");
    }
}

#[test]
fn a_trigger_at_the_time_of_the_first_one_is_no_late_duplicate() {
    let mut world = resolved(ONCE);
    world.sweep();
    world.starts_at = Some(world.alerts["A"].starts_at);
    world.at(10 * MINUTE + 5_000).fire("A");
    assert_eq!(status(&world), Status::Open);
    assert_eq!(reason(&world), "`A` fires again; ada resolved it 5 s ago");
}

#[test]
fn a_trigger_later_than_that_opens_a_new_incident() {
    let mut world = resolved(ONCE);
    world.sweep();
    assert!(opens(&world.at(41 * MINUTE).fire("A")));
    let mut closed = resolved(ONCE);
    closed.command(Command::Close, &ada()).unwrap();
    assert!(opens(&closed.at(11 * MINUTE).fire("A")), "or after a close");
}

#[test]
fn repeats_leave_it_resolved_until_a_timer_reopens_it() {
    for repeats_until in [0, 20, 39] {
        let mut world = resolved(REPEATS);
        for minute in 11..=repeats_until {
            let intake = world.at(minute * MINUTE).fire("A");
            assert!(intake.incidents.is_empty(), "minute {minute}");
        }
        world.run_until(40 * MINUTE - 1);
        assert_eq!(status(&world), Status::Resolved);
        let within = world.delays.reopen_within_ms;
        let is_over = |it: &World| it.incident().is_over(&it.tally, it.now, within);
        world.at(40 * MINUTE);
        assert!(!is_over(&world), "it is not retired before");
        let pages = world.paged().len();
        world.run_until(40 * MINUTE);
        assert_eq!(status(&world), Status::Open);
        let said = "an alert still fires; ada resolved it 30 min ago";
        assert_eq!(reason(&world), said);
        assert_eq!(world.paged().len(), pages + 1);
        assert_eq!(world.tally.counts.firing, 1);
        world.at(41 * MINUTE).end("A");
        world.run_until(45 * MINUTE);
        assert_eq!(status(&world), Status::Resolved);
    }
}

#[test]
fn a_timer_reopens_a_closed_incident_too_but_not_beside_another_of_its_key() {
    let mut world = resolved(REPEATS);
    world.command(Command::Close, &ada()).unwrap();
    let mut beside = resolved(REPEATS);
    world.run_until(40 * MINUTE);
    assert_eq!(status(&world), Status::Open);
    let command = Command::Reopen {
        reason: None,
        replan: None,
        rival: true,
    };
    beside
        .at(40 * MINUTE)
        .command(command.clone(), &ada())
        .unwrap();
    assert_eq!(status(&beside), Status::Resolved);
    assert!(beside.command(command, &ada()).is_err(), "it waits again");
    beside.run_until(70 * MINUTE);
    assert_eq!(status(&beside), Status::Open, "the other one is over");
}

#[test]
fn a_signal_before_a_late_timer_reopens_the_same_incident() {
    let mut world = resolved(REPEATS);
    assert!(!opens(&world.at(50 * MINUTE).fire("A")));
    assert_eq!(status(&world), Status::Open);
    assert_eq!(world.incident().number, 1);
    assert_eq!(world.tally.counts.firing, 1);
}

#[test]
fn an_incident_whose_alerts_end_stays_resolved() {
    let mut world = resolved(REPEATS);
    assert_eq!(world.timers()[0].kind, TimerKind::Reopen);
    world.at(20 * MINUTE).end("A");
    assert!(world.timers().is_empty());
    let mut fires_again = world;
    fires_again.at(21 * MINUTE).fire("A");
    assert_eq!(status(&fires_again), Status::Open, "it had ended");
}

#[test]
fn a_resolve_ends_the_alerts_of_senders_that_may_never_mention_them_again() {
    for sender in [ONCE, NEVER_RESOLVES] {
        let mut world = World {
            sender,
            ..World::default()
        };
        world.fire("A");
        world.at(MINUTE).fire("B");
        world.at(10 * MINUTE).resolve();
        assert!(world.timers().is_empty(), "also before the sweep");
        world.at(10 * MINUTE + 1).sweep();
        assert_eq!(world.tally.counts.firing, 0);
        assert!(world.alerts.values().all(|it| !it.firing));
        world.run_until(60 * MINUTE);
        assert_eq!(status(&world), Status::Resolved);
    }
}

#[test]
fn what_a_resolve_ended_ends_although_it_has_reopened_meanwhile() {
    let mut world = World {
        sender: ONCE,
        ..World::default()
    };
    world.fire("A");
    world.fire("B");
    world.at(10 * MINUTE).resolve();
    world.at(11 * MINUTE).fire("A");
    assert_eq!(world.tally.counts.firing, 2);
    world.sweep();
    assert_eq!(world.tally.counts.firing, 1);
    assert!(world.alerts["A"].firing && !world.alerts["B"].firing);
}

#[test]
fn who_has_repeated_before_counts_as_repeating() {
    for is_swept in [false, true] {
        let mut world = World {
            sender: ONCE,
            ..World::default()
        };
        world.fire("A");
        world.at(MINUTE).fire("A");
        world.at(10 * MINUTE).resolve();
        if is_swept {
            world.sweep();
        }
        world.at(12 * MINUTE).fire("A");
        assert_eq!(status(&world), Status::Resolved);
        assert!(world.alerts["A"].firing);
        assert_eq!(world.tally.counts.firing, 1);
        world.sweep();
        assert!(world.alerts["A"].firing, "it was heard of since");
        world.run_until(40 * MINUTE);
        assert_eq!(status(&world), Status::Open, "it still fires");
        world.at(41 * MINUTE).fire("A");
        world.at(50 * MINUTE).resolve();
        assert!(world.timers().is_empty(), "and the next resolve ends it");
    }
}

#[test]
fn what_its_sender_resolves_after_a_person_did_fires_anew_at_once() {
    let mut world = World {
        sender: ONCE,
        ..World::default()
    };
    world.fire("A");
    world.at(MINUTE).fire("A");
    world.at(10 * MINUTE).resolve();
    world.sweep();
    world
        .at(11 * MINUTE)
        .say("A", SignalStatus::Resolved)
        .unwrap();
    world.at(12 * MINUTE).fire("A");
    assert_eq!(status(&world), Status::Open);
}

#[test]
fn a_sender_whose_configuration_changes_is_counted_as_it_is_now() {
    let mut world = World::default();
    world.fire("A");
    for (minute, sender) in (1..).zip([ONCE, REPEATS, NEVER_RESOLVES, ONCE]) {
        world.sender = sender;
        world.at(minute * MINUTE).fire("A");
        assert_eq!(world.tally.ending, u64::from(sender.ends_when_resolved()));
    }
    world.at(5 * MINUTE).end("A");
    assert_eq!((world.tally.ending, world.tally.counts.firing), (0, 0));
}

#[test]
fn ending_an_alert_by_hand_is_logged_and_needs_clearance_for_security_incidents() {
    let mut world = World::default();
    world.fire("A");
    world.at(MINUTE);
    let end = |world: &World, may_see| {
        let channels = Channels::default();
        let env = Env {
            now: world.now,
            delays: &world.delays,
            channels: &channels,
        };
        let home = Some((world.incident(), &world.tally));
        end_by_hand(&world.alerts["A"], home, may_see, "gone".to_owned(), env)
    };
    let ended = end(&world, false).unwrap();
    assert!(!ended.alerts[0].firing);
    let change = &ended.incidents[0].outcome;
    assert_eq!(change.tally.as_ref().unwrap().counts.firing, 0);
    let says = |it: &Event| matches!(it, Event::AlertEnded { reason, .. } if reason == "gone");
    assert!(change.events.iter().any(says));
    let flag = Command::Grade {
        grade: Grade::Major,
        security: Some(true),
        may_declassify: false,
        reason: "a key leaked".to_owned(),
        replan: None,
    };
    world.command(flag, &ada()).unwrap();
    assert_eq!(end(&world, false), Err(Refusal::Unseen));
    assert!(end(&world, true).is_ok());
    world.end("A");
    assert_eq!(
        end(&world, true),
        Ok(Intake::default()),
        "it is over already"
    );
}

fn reopen(world: &mut World, rival: bool) -> Result<Outcome, Refusal> {
    let command = Command::Reopen {
        reason: Some("errors are back".to_owned()),
        replan: None,
        rival,
    };
    world.command(command, &ada())
}

#[test]
fn a_person_reopens_a_resolved_incident_which_stays_open_though_nothing_fires() {
    let mut world = resolved(REPEATS);
    world.end("A");
    reopen(&mut world, false).unwrap();
    let last = world
        .stream
        .iter()
        .rev()
        .map(|it| narrate(world.incident(), it));
    let said: Vec<String> = last.collect();
    assert!(
        said.contains(&"ada reopened it: errors are back".to_owned()),
        "{said:#?}"
    );
    assert_eq!(status(&world), Status::Open);
    world.run_until(90 * MINUTE);
    assert_eq!(status(&world), Status::Open);
    let again = reopen(&mut world, false).unwrap();
    assert_eq!(again.reply, "incident 1 is open");
}

#[test]
fn a_person_reopens_neither_what_is_closed_nor_what_has_another_incident() {
    let mut world = resolved(REPEATS);
    let why = reopen(&mut world, true).unwrap_err().to_string();
    assert!(why.contains("another incident that is open"), "{why}");
    world.command(Command::Close, &ada()).unwrap();
    let why = reopen(&mut world, false).unwrap_err().to_string();
    assert!(why.contains("is closed for good; open another"), "{why}");
}

#[test]
fn what_a_person_reopened_wants_an_answer_though_nothing_fires() {
    let mut world = resolved(REPEATS);
    world.end("A");
    reopen(&mut world, false).unwrap();
    let via = "api".to_owned();
    world.command(Command::Acknowledge { via }, &ada()).unwrap();
    world.run_until(36 * 60 * MINUTE);
    let begins_anew = world.count(|it| matches!(it, Event::HoldExpired { .. }));
    assert!(begins_anew > 0, "she has not said that she is still on it");
}
