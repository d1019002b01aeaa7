//! Plans whose first page comes later than the incident.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod common;

use common::{MINUTE, World, ada, people, plan_of, take_all};
use tocsin_core::command::Command;
use tocsin_core::{Plan, Step, Timestamp, narrate};

const HOUR: u64 = 60 * MINUTE;

fn time(ms: u64) -> Timestamp {
    Timestamp(i64::try_from(ms).unwrap())
}

/// Ada and then Bob, five minutes apart, each not before this time.
fn plan_at(times: [Option<u64>; 2]) -> Plan {
    let mut plan = plan_of(&[&["ada"], &["bob"]]);
    for (step, at) in plan.steps.iter_mut().zip(times) {
        step.at = at.map(time);
    }
    plan
}

/// Ada, after waiting for ten minutes.
fn plan_after_a_wait() -> Plan {
    let mut plan = plan_of(&[&["ada"]]);
    let wait = Step {
        page: Vec::new(),
        wait_ms: 10 * MINUTE,
        at: None,
    };
    plan.steps.insert(0, wait);
    plan
}

fn world_with(plan: Plan) -> World {
    let mut world = World {
        plan: Some(plan),
        ..World::default()
    };
    world.at(MINUTE).fire("A");
    world
}

fn log(world: &World) -> Vec<String> {
    let incident = world.incident();
    let lines = world.stream.iter().map(|it| narrate(incident, it));
    lines.collect()
}

#[test]
fn a_first_step_for_later_is_taken_then_and_the_log_says_so() {
    let mut world = world_with(plan_at([Some(9 * HOUR), None]));
    assert!(people(&world).is_empty());
    assert_eq!(world.incident().escalation.due, Some(time(9 * HOUR)));
    let opened =
        "opened, graded major: the test says so (test.rhai); the first page comes in 8h59m";
    assert!(log(&world)[0].starts_with(opened), "{}", log(&world)[0]);
    world.run_until(9 * HOUR - 1);
    assert!(people(&world).is_empty());
    world.run_until(9 * HOUR);
    assert_eq!(people(&world), ["ada"]);
    take_all(&mut world);
    world.run_until(9 * HOUR + 5 * MINUTE);
    assert_eq!(people(&world), ["ada", "bob"]);
}

#[test]
fn a_time_that_has_passed_delays_nothing() {
    let world = world_with(plan_at([Some(MINUTE), None]));
    assert_eq!(people(&world), ["ada"]);
    assert!(!log(&world)[0].contains("comes in"));
}

#[test]
fn a_plan_may_begin_with_a_wait() {
    let mut world = world_with(plan_after_a_wait());
    assert!(people(&world).is_empty());
    let log = log(&world);
    assert!(
        log[0].contains("; the first page comes in 10m: "),
        "{log:?}"
    );
    assert_eq!(log[1], "escalation begins (it only waits)");
    world.run_until(11 * MINUTE);
    assert_eq!(people(&world), ["ada"]);
    take_all(&mut world);
    world.run_until(16 * MINUTE);
    assert_eq!(people(&world), ["ada", "ada"], "the last step repeats");
}

#[test]
fn whoever_acknowledges_before_the_first_page_gets_none() {
    for mut plan in [plan_at([Some(9 * HOUR), None]), plan_after_a_wait()] {
        plan.hold_ms = Some(30 * HOUR);
        let mut world = world_with(plan);
        let via = "api".to_owned();
        world.command(Command::Acknowledge { via }, &ada()).unwrap();
        world.run_until(20 * HOUR);
        assert!(people(&world).is_empty());
    }
}

#[test]
fn a_withdrawal_before_the_time_of_the_first_page_does_not_hasten_it() {
    let mut world = world_with(plan_at([Some(9 * HOUR), None]));
    let via = "api".to_owned();
    world.command(Command::Acknowledge { via }, &ada()).unwrap();
    let reason = None;
    world
        .command(Command::Unacknowledge { reason }, &ada())
        .unwrap();
    world.run_until(9 * HOUR - 1);
    assert!(people(&world).is_empty());
    world.run_until(9 * HOUR);
    assert_eq!(people(&world), ["ada", "bob"], "nobody waits for ada");
}

#[test]
fn a_later_step_waits_for_its_time_even_if_nobody_waits_for_the_one_before() {
    let mut world = world_with(plan_at([None, Some(9 * HOUR)]));
    take_all(&mut world);
    assert_eq!(world.incident().escalation.due, Some(time(9 * HOUR)));
    let via = "api".to_owned();
    world.command(Command::Acknowledge { via }, &ada()).unwrap();
    let reason = None;
    world
        .command(Command::Unacknowledge { reason }, &ada())
        .unwrap();
    world.run_until(9 * HOUR - 1);
    assert_eq!(people(&world), ["ada", "ada"]);
    world.run_until(9 * HOUR);
    assert_eq!(people(&world), ["ada", "ada", "bob"]);
}

#[test]
fn an_incident_is_active_since_it_opened_or_last_reopened() {
    let mut world = world_with(plan_of(&[&["ada"]]));
    let active_since = |world: &World| world.incident().lifecycle.active_since;
    assert_eq!(active_since(&world), time(MINUTE));
    world.end("A");
    world.run_until(10 * MINUTE);
    world.fire("A");
    assert_eq!(world.incident().lifecycle.reopens, 1);
    assert_eq!(active_since(&world), time(10 * MINUTE));
}
