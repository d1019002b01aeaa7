//! Withdrawing an acknowledgement: what starts again, and who is asked.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod common;

use common::{MINUTE, World, ada, assert_only_the_hold_is_left, people, plan_of, take_all};
use tocsin_core::command::Command;
use tocsin_core::consequences::Notice;
use tocsin_core::{Actor, Event, Grade, Plan, narrate};

/// The log as text.
fn log(world: &World) -> String {
    let lines = world.stream.iter().map(|it| narrate(world.incident(), it));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn withdrawing_the_acknowledgement_restarts_the_escalation() {
    let mut world = World::default();
    world.fire("HighErrorRate");
    take_all(&mut world);
    world.run_until(5 * MINUTE);
    take_all(&mut world);
    let acknowledge = Command::Acknowledge {
        via: "slack".to_owned(),
    };
    let bob = Actor::Person("bob".into());
    world.command(acknowledge.clone(), &bob).unwrap();
    let settled = |world: &World| {
        let is_it = |it: &&Notice| matches!(it, Notice::Settled { .. });
        world.notices.iter().filter(is_it).count()
    };
    assert_eq!(settled(&world), 3, "ada's two pages and bob's");
    world.at(20 * MINUTE);
    let unack = Command::Unacknowledge {
        reason: Some("on a train".to_owned()),
    };
    let done = world.command(unack.clone(), &bob).unwrap();
    assert!(
        done.reply.contains("the escalation starts again"),
        "{}",
        done.reply
    );
    assert_eq!(
        narrate(world.incident(), world.stream.last().unwrap()),
        "bob withdrew the acknowledgement; the escalation starts again: on a train"
    );
    assert!(world.incident().is_unanswered());
    assert_eq!(world.incident().roles.operator, None);
    assert_eq!(people(&world), ["ada", "ada", "bob"], "not paged in it");
    let twice = world.command(unack, &bob).unwrap();
    assert!(twice.events.is_empty());
    assert_eq!(
        twice.reply,
        "incident 1 is not acknowledged; `ack` acknowledges it"
    );
    world.run_until(20 * MINUTE);
    assert_eq!(people(&world)[3..], ["ada"], "the first step, at once");
    take_all(&mut world);
    world.run_until(25 * MINUTE);
    assert_eq!(people(&world)[4..], ["ada", "bob"], "and the second");
    take_all(&mut world);
    world.command(acknowledge, &bob).unwrap();
    assert_eq!(world.incident().roles.operator, Some("bob".into()));
    assert_eq!(settled(&world), 6, "each page once");
    assert_only_the_hold_is_left(&world);
}

#[test]
fn nobody_waits_for_the_person_who_has_just_withdrawn() {
    let mut world = World::default();
    world.fire("HighErrorRate");
    take_all(&mut world);
    let acknowledge = Command::Acknowledge {
        via: "slack".to_owned(),
    };
    world.command(acknowledge.clone(), &ada()).unwrap();
    let unack = Command::Unacknowledge { reason: None };
    world.at(MINUTE);
    world.command(unack.clone(), &ada()).unwrap();
    world.run_until(MINUTE);
    assert_eq!(
        world.paged()[1..],
        [("ada".to_owned(), 0), ("bob".to_owned(), 1)],
        "ada is on call, and she is asked once"
    );
    let text = log(&world);
    assert!(
        text.contains("ada withdrew, so the next step follows at once"),
        "{text}"
    );
    world.run_until(6 * MINUTE - 1);
    assert_eq!(world.paged().len(), 3, "the second step is waited for");
    take_all(&mut world);
    world.run_until(6 * MINUTE);
    assert_eq!(world.paged().len(), 5);
    world.command(acknowledge, &ada()).unwrap();
    let token = Actor::Token("night-shift".to_owned());
    world.command(unack, &token).unwrap();
    world.run_until(6 * MINUTE);
    assert_eq!(world.paged().len(), 6, "somebody else withdrew: ada alone");
}

/// Ada or Bob acknowledges, and withdraws at once.
fn acknowledge_and_withdraw(world: &mut World, who: &str) {
    let who = Actor::Person(who.into());
    let via = "slack".to_owned();
    world.command(Command::Acknowledge { via }, &who).unwrap();
    let unack = Command::Unacknowledge { reason: None };
    world.command(unack, &who).unwrap();
}

#[test]
fn nobody_waits_for_any_of_the_people_who_have_withdrawn() {
    let mut world = World {
        plan: Some(plan_of(&[&["ada"], &["bob"], &["ada", "bob"], &["cleo"]])),
        ..World::default()
    };
    world.fire("HighErrorRate");
    take_all(&mut world);
    acknowledge_and_withdraw(&mut world, "bob");
    world.run_until(0);
    let paged = |world: &World| people(world)[1..].join(" ");
    assert_eq!(paged(&world), "ada", "bob's is not the first step");
    take_all(&mut world);
    acknowledge_and_withdraw(&mut world, "ada");
    world.run_until(0);
    assert_eq!(paged(&world), "ada ada bob cleo");
    let text = log(&world);
    for line in [
        "ada withdrew, so",
        "bob withdrew, so",
        "ada and bob withdrew, so",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
}

#[test]
fn a_step_that_reaches_nobody_is_not_waited_for_after_a_withdrawal() {
    let mut world = World {
        plan: Some(plan_of(&[&["ada"], &[], &["bob"]])),
        ..World::default()
    };
    world.fire("HighErrorRate");
    take_all(&mut world);
    acknowledge_and_withdraw(&mut world, "ada");
    world.run_until(0);
    assert_eq!(people(&world)[1..], ["ada", "bob"]);
    let text = log(&world);
    assert!(
        text.contains("it reaches nobody, so the next step follows at once"),
        "{text}"
    );
}

#[test]
fn a_grade_raised_under_an_acknowledgement_has_its_plan_when_that_is_withdrawn() {
    let mut world = World {
        grade: Some(Grade::Minor),
        plan: Some(Plan::default()),
        ..World::default()
    };
    world.fire("SlowReplies");
    let via = "slack".to_owned();
    world.command(Command::Acknowledge { via }, &ada()).unwrap();
    world.grade = Some(Grade::Critical);
    world.plan = Some(plan_of(&[&["bob"]]));
    world.fire("AllDown");
    assert_eq!(world.incident().grading.grade, Grade::Critical);
    let is_plan = |it: &Event| matches!(it, Event::Planned { .. });
    assert_eq!(world.count(is_plan), 1);
    world.run_until(0);
    assert_eq!(people(&world), ["ada"], "she has it, and is told");
    assert_eq!(world.incident().escalation.due, None);
    let unack = Command::Unacknowledge { reason: None };
    let done = world.command(unack, &ada()).unwrap();
    assert!(
        done.reply.ends_with("the escalation starts again"),
        "{}",
        done.reply
    );
    world.run_until(0);
    assert_eq!(people(&world)[1..], ["bob"], "whom the critical plan pages");
}

#[test]
fn a_withdrawn_acknowledgement_under_an_empty_plan_starts_nothing() {
    let mut world = World::default();
    world.fire("HighErrorRate");
    let command = Command::Acknowledge {
        via: "slack".to_owned(),
    };
    world.command(command, &ada()).unwrap();
    let mut incident = world.incident().clone();
    incident.escalation.plan.steps.clear();
    world.incident = Some(incident.clone());
    let done = world
        .command(Command::Unacknowledge { reason: None }, &ada())
        .unwrap();
    assert!(
        done.reply.ends_with("its plan pages nobody"),
        "{}",
        done.reply
    );
    assert_eq!(
        narrate(&incident, world.stream.last().unwrap()),
        "ada withdrew the acknowledgement; its plan pages nobody"
    );
}

#[test]
fn who_acknowledged_is_known_until_it_is_withdrawn_or_the_incident_ends() {
    let mut world = World::default();
    world.fire("HighErrorRate");
    assert_eq!(world.incident().answered_by(), None);
    let acknowledge = Command::Acknowledge {
        via: "slack".to_owned(),
    };
    let token = Actor::Token("pager".to_owned());
    world.command(acknowledge.clone(), &token).unwrap();
    assert_eq!(world.incident().answered_by(), Some(&token));
    world.command(acknowledge.clone(), &ada()).unwrap();
    assert_eq!(world.incident().answered_by(), Some(&token), "the first");
    assert_eq!(world.incident().keeps_busy(), Some(&"ada".into()));
    let unack = Command::Unacknowledge { reason: None };
    world.command(unack, &ada()).unwrap();
    assert_eq!(world.incident().answered_by(), None);
    assert_eq!(world.incident().keeps_busy(), None);
    world.command(acknowledge, &ada()).unwrap();
    let reason = "rolled back".to_owned();
    world.command(Command::Resolve { reason }, &ada()).unwrap();
    assert_eq!(world.incident().answered_by(), None);
    assert_eq!(world.incident().keeps_busy(), None);
}

#[test]
fn only_an_open_acknowledged_incident_can_be_unacknowledged() {
    let mut world = World::default();
    world.fire("HighErrorRate");
    let unack = Command::Unacknowledge { reason: None };
    let before = world.timers();
    let reply = world.command(unack.clone(), &ada()).unwrap();
    assert!(reply.is_reply());
    assert_eq!(
        reply.reply,
        "incident 1 is not acknowledged; `ack` acknowledges it"
    );
    assert_eq!(world.timers(), before, "the escalation continues");
    let reason = "rolled back".to_owned();
    let resolve = Command::Resolve { reason };
    world.command(resolve, &ada()).unwrap();
    let late = world.command(unack, &ada()).unwrap_err();
    assert!(late.to_string().contains("only an open incident"), "{late}");
}
