//! An escalation whose plan changes while nobody has acknowledged.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod common;

use common::{MINUTE, World, ada, people, plan_of, take_all};
use tocsin_core::command::Command;
use tocsin_core::{Event, Grade, PageTarget, Plan, Step, Timestamp};

/// A step that pages these people, comma-separated, and waits these minutes.
fn step(page: &str, minutes: u64) -> Step {
    let names = page.split(',').filter(|it| !it.is_empty());
    Step {
        at: None,
        page: names.map(|it| PageTarget::Person(it.into())).collect(),
        wait_ms: minutes * MINUTE,
    }
}

fn plan(steps: &[(&str, u64)]) -> Plan {
    let steps = steps.iter().map(|(page, minutes)| step(page, *minutes));
    Plan {
        steps: steps.collect(),
        ..Plan::default()
    }
}

fn at_minute(mut step: Step, minute: u64) -> Step {
    step.at = Some(minute_of(minute));
    step
}

fn minute_of(minute: u64) -> Timestamp {
    Timestamp(i64::try_from(minute * MINUTE).unwrap())
}

fn under(plan: Plan) -> World {
    let mut world = World {
        plan: Some(plan),
        ..World::default()
    };
    world.fire("A");
    world
}

/// Reviews with one plan and another in turn, every 70 s, until this minute.
fn toggle(world: &mut World, plans: [&Plan; 2], until: u64) {
    for (place, ms) in (1..).zip((70_000..=until * MINUTE).step_by(70_000)) {
        world.run_until(ms);
        take_all(world);
        world.plan = Some(plans[place % 2].clone());
        world.review().unwrap();
    }
    world.run_until(until * MINUTE);
}

#[test]
fn a_plan_that_flips_more_often_than_it_waits_still_pages_everybody_in_time() {
    let cases = [
        (
            "the wait of a later step",
            plan(&[("ada", 3), ("bob", 3)]),
            plan(&[("ada", 3), ("bob", 9)]),
            vec!["ada", "bob"],
        ),
        (
            "the running wait",
            plan(&[("ada", 3), ("bob", 3)]),
            plan(&[("ada", 9), ("bob", 3)]),
            vec!["ada", "bob"],
        ),
        (
            "who is first",
            plan(&[("ada", 3), ("bob", 3)]),
            plan(&[("eve", 3), ("bob", 3)]),
            vec!["ada", "eve", "bob"],
        ),
        (
            "the order",
            plan(&[("ada", 3), ("bob", 3)]),
            plan(&[("bob", 3), ("ada", 3)]),
            // Bob is first now, and the last step repeats three minutes later.
            vec!["ada", "bob", "ada"],
        ),
        (
            "a wait before it",
            plan(&[("ada", 3), ("bob", 3)]),
            plan(&[("", 9), ("ada", 3), ("bob", 3)]),
            vec!["ada", "bob"],
        ),
    ];
    for (what, one, other, paged) in cases {
        let mut world = under(one.clone());
        toggle(&mut world, [&one, &other], 5);
        assert_eq!(people(&world), paged, "{what}");
    }
}

#[test]
fn another_plan_goes_on_where_the_one_before_has_come_and_pages_nobody_later() {
    let ada_bob = || plan(&[("ada", 3), ("bob", 3)]);
    // Reviewed after a minute: the next step, and the minute when it is due.
    let cases = [
        ("a longer wait", plan(&[("ada", 9), ("bob", 3)]), 1, 3),
        ("a shorter wait", plan(&[("ada", 2), ("bob", 3)]), 1, 2),
        ("a wait that is over", plan(&[("ada", 1), ("bob", 3)]), 1, 1),
        ("another second step", plan(&[("ada", 3), ("eve", 3)]), 1, 3),
        (
            "a wait in between",
            plan(&[("ada", 3), ("", 9), ("bob", 3)]),
            2,
            3,
        ),
        ("only the first step", plan(&[("ada", 9)]), 1, 3),
        ("others first", plan(&[("ada,eve", 3), ("bob", 3)]), 1, 4),
        (
            "who was paged as second",
            plan(&[("bob", 3), ("ada", 3)]),
            1,
            4,
        ),
        ("a wait and others", plan(&[("", 9), ("bob", 3)]), 1, 3),
        (
            "a short wait and others",
            plan(&[("", 1), ("bob", 3)]),
            1,
            2,
        ),
        ("nobody", plan(&[]), 0, 0),
    ];
    for (what, other, next_step, due) in cases {
        let mut world = under(ada_bob());
        world.run_until(MINUTE);
        world.plan = Some(other.clone());
        world.review().unwrap();
        let escalation = &world.incident().escalation;
        assert_eq!(escalation.plan, other, "{what}");
        assert_eq!(escalation.next_step, next_step, "{what}");
        let due = Some(minute_of(due)).filter(|it| it.0 > 0);
        assert_eq!(escalation.due, due, "{what}");
    }
}

#[test]
fn a_page_at_a_fixed_time_is_not_put_off_by_a_plan_that_waits_first() {
    let nine = at_minute(step("bob", 3), 30);
    let mut world = under(Plan {
        steps: vec![step("", 5), nine],
        ..Plan::default()
    });
    world.run_until(20 * MINUTE);
    world.plan = Some(plan(&[("", 60), ("ada", 3)]));
    world.review().unwrap();
    world.run_until(29 * MINUTE);
    assert_eq!(people(&world), [""; 0]);
    world.run_until(30 * MINUTE);
    assert_eq!(people(&world), ["ada"]);
}

#[test]
fn a_last_step_with_a_time_repeats_at_its_next_time() {
    let at = |minute, repeats| Plan {
        steps: vec![at_minute(step("ada", 60), minute)],
        repeats_at: Some(minute_of(repeats)),
        ..Plan::default()
    };
    let mut world = under(at(10, 1_450));
    world.run_until(10 * MINUTE);
    assert_eq!(people(&world), ["ada"]);
    take_all(&mut world);
    world.run_until(1_450 * MINUTE - 1);
    assert_eq!(people(&world), ["ada"], "not every hour through the night");
    // At that time the policy says when it is after that.
    world.at(1_450 * MINUTE).plan = Some(at(10, 2_890));
    world.review().unwrap();
    world.run_until(1_450 * MINUTE);
    assert_eq!(people(&world), ["ada", "ada"]);
    take_all(&mut world);
    world.run_until(2_890 * MINUTE - 1);
    assert_eq!(people(&world), ["ada", "ada"]);
}

#[test]
fn the_time_of_a_step_that_moved_on_since_it_was_taken_is_no_new_plan() {
    let at = |minute| Plan {
        steps: vec![at_minute(step("ada", 5), minute), step("bob", 5)],
        ..Plan::default()
    };
    let mut world = under(at(10));
    let planned = |world: &World| world.count(|it| matches!(it, Event::Planned { .. }));
    world.run_until(10 * MINUTE);
    assert_eq!(people(&world), ["ada"]);
    world.plan = Some(at(1_450));
    world.review().unwrap();
    assert_eq!(planned(&world), 0);
    let mut world = under(at(10));
    world.plan = Some(at(20));
    world.review().unwrap();
    assert_eq!(planned(&world), 1, "it was not taken yet");
    assert_eq!(world.incident().escalation.due, Some(minute_of(10)));
}

#[test]
fn a_plan_for_a_higher_grade_begins_anew() {
    let mut world = under(plan(&[("ada", 3), ("bob", 3)]));
    world.run_until(MINUTE);
    common::take_all(&mut world);
    world.grade = Some(Grade::Critical);
    world.plan = Some(plan(&[("ada", 1), ("bob", 3)]));
    world.review().unwrap();
    assert_eq!(people(&world), ["ada", "ada"]);
}

#[test]
fn a_plan_that_begins_again_after_an_acknowledgement_knows_of_no_pages() {
    let mut world = under(plan_of(&[&["ada"], &["bob"]]));
    common::take_all(&mut world);
    let via = "api".to_owned();
    world.command(Command::Acknowledge { via }, &ada()).unwrap();
    world.plan = Some(plan(&[("ada", 3), ("eve", 3)]));
    world.at(MINUTE).review().unwrap();
    let unack = Command::Unacknowledge { reason: None };
    world.command(unack, &ada()).unwrap();
    let escalation = &world.incident().escalation;
    assert_eq!(
        (escalation.next_step, escalation.due),
        (0, Some(minute_of(1)))
    );
    assert!(escalation.paged.is_empty());
}

#[test]
fn a_plan_that_changes_while_it_pauses_goes_on_when_the_pause_ends() {
    let mut world = under(plan(&[("ada", 3), ("bob", 3)]));
    common::take_all(&mut world);
    world.at(MINUTE).silence("A", &["upgrade"], &[]).unwrap();
    world.plan = Some(plan(&[("ada", 3), ("eve", 3)]));
    world.review().unwrap();
    assert_eq!(world.incident().escalation.due, None);
    world
        .at(20 * MINUTE)
        .silence("A", &[], &[("upgrade", 1)])
        .unwrap();
    world.run_until(22 * MINUTE);
    assert_eq!(people(&world), ["ada"], "the wait begins again");
    world.run_until(23 * MINUTE);
    assert_eq!(people(&world), ["ada", "eve"]);
}

#[test]
fn the_log_says_where_another_plan_goes_on() {
    let mut world = under(plan(&[("ada", 3), ("bob", 3)]));
    world.run_until(MINUTE);
    let cases = [
        (
            plan(&[("ada", 9), ("bob", 9)]),
            "; it goes on with step 2 in 2m",
        ),
        (plan(&[("ada", 9)]), "; it goes on with step 1 again in 2m"),
        (
            plan(&[("eve", 3), ("bob", 9)]),
            "; it goes on with step 1: ",
        ),
    ];
    for (other, says) in cases {
        world.plan = Some(other);
        world.review().unwrap();
        let is_plan = |it: &&tocsin_core::Recorded| matches!(it.event, Event::Planned { .. });
        let planned = world.stream.iter().rev().find(is_plan).unwrap();
        let text = tocsin_core::narrate(world.incident(), planned);
        assert!(text.contains(says), "{text}");
    }
}
