//! Dead man's switches: alerts that fire when they are no longer heard of.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod common;

use common::{MINUTE, World, opens, signal};
use tocsin_core::alert::Place;
use tocsin_core::intake::Intake;
use tocsin_core::{SignalStatus, Status, Timestamp};

/// The switch is heard of; it fires five minutes later.
fn hear(world: &mut World) -> Intake {
    let mut heard = signal("silent", SignalStatus::Resolved, world.now);
    heard.fires_at = Some(world.now.plus_ms(5 * MINUTE));
    world.send(heard).unwrap()
}

/// What the sweep sends if it saw the switch as it was at `seen`.
fn sweep(world: &mut World, seen: Timestamp) -> Intake {
    let mut fires = world.alerts["silent"].as_signal();
    fires.starts_at = world.now;
    world.send_unless(fires, Some(seen)).unwrap()
}

#[test]
fn a_switch_that_is_heard_of_opens_nothing() {
    let mut world = World::default();
    for minute in 0..30 {
        let intake = hear(world.at(minute * MINUTE));
        assert!(intake.incidents.is_empty());
        let seen = world.now;
        assert_eq!(sweep(&mut world, seen), Intake::default(), "too early");
    }
    let alert = &world.alerts["silent"];
    assert_eq!(alert.place, Place::Expected {});
    assert!(!alert.firing);
    assert_eq!(alert.last_seen, world.now);
    assert_eq!(alert.first_seen, Timestamp(0));
}

#[test]
fn a_switch_that_falls_silent_opens_an_incident_until_it_is_heard_of_again() {
    let mut world = World::default();
    hear(&mut world);
    let seen = world.now;
    assert!(opens(&sweep(world.at(5 * MINUTE), seen)));
    assert_eq!(world.paged().len(), 1);
    assert!(world.alerts["silent"].firing);
    let again = sweep(world.at(6 * MINUTE), seen);
    assert_eq!(again, Intake::default(), "another engine's sweep");
    hear(world.at(20 * MINUTE));
    let alert = &world.alerts["silent"];
    assert!(!alert.firing && alert.fires_at.is_some());
    assert_eq!(alert.changed_at, world.now);
    assert_eq!(world.tally.counts.firing, 0);
    world.run_until(22 * MINUTE);
    assert_eq!(world.incident().lifecycle.status, Status::Resolved);
    let seen = Timestamp((20 * MINUTE) as i64);
    sweep(world.at(25 * MINUTE), seen);
    assert_eq!(world.incident().lifecycle.reopens, 1, "and silent again");
}

#[test]
fn a_switch_that_is_heard_of_while_the_sweep_looks_does_not_fire() {
    let mut world = World::default();
    hear(&mut world);
    let seen = world.now;
    hear(world.at(5 * MINUTE));
    assert_eq!(sweep(&mut world, seen), Intake::default());
}

#[test]
fn a_switch_that_is_no_longer_wanted_ends() {
    let mut world = World::default();
    hear(&mut world);
    world.at(MINUTE).end("silent");
    assert_eq!(world.alerts["silent"].fires_at, None);
    let seen = world.now;
    assert_eq!(sweep(world.at(9 * MINUTE), seen), Intake::default());
}

#[test]
fn a_persons_resolve_stands_against_silence_for_a_while() {
    let mut world = World::default();
    hear(&mut world);
    let seen = world.now;
    sweep(world.at(5 * MINUTE), seen);
    world.at(6 * MINUTE).resolve();
    world.run_until(35 * MINUTE);
    assert_eq!(world.incident().lifecycle.status, Status::Resolved);
    world.run_until(36 * MINUTE);
    assert_eq!(world.incident().lifecycle.status, Status::Open);
    hear(world.at(37 * MINUTE));
    world.run_until(90 * MINUTE);
    assert_eq!(world.incident().lifecycle.status, Status::Resolved);
}

#[test]
fn a_switch_counts_from_now_on_when_the_clock_was_set_back() {
    let mut world = World::default();
    hear(world.at(60 * MINUTE));
    let seen = world.now;
    let mut set_anew = signal("silent", SignalStatus::Resolved, world.now);
    set_anew.fires_at = Some(Timestamp(0).plus_ms(6 * MINUTE));
    let intake = world
        .at(61 * MINUTE)
        .send_unless(set_anew.clone(), Some(seen))
        .unwrap();
    assert_eq!(intake, Intake::default(), "the clock was not set back");
    world.at(MINUTE).send_unless(set_anew, Some(seen)).unwrap();
    let seen = world.now;
    assert_eq!(sweep(world.at(5 * MINUTE), seen), Intake::default());
    assert!(opens(&sweep(world.at(6 * MINUTE), seen)));
}
