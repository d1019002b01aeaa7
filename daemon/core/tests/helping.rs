//! Asking engineers for help, and joining an incident.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod common;

use common::{World, ada, operated};
use tocsin_core::command::{Command, Refusal};
use tocsin_core::{Actor, Event, PersonId, limits};

const JOIN: Command = Command::Join { may_see: false };

fn person(id: &str) -> Actor {
    Actor::Person(id.into())
}

fn help(text: &str) -> Command {
    let text = text.to_owned();
    Command::HelpWanted { text }
}

fn joined(world: &World) -> usize {
    world.count(|it| matches!(it, Event::ResponderJoined { .. }))
}

#[test]
fn whoever_joins_helps_and_joins_once() {
    let mut world = operated();
    let asked = world.command(help("who knows the ledger?"), &ada());
    assert_eq!(
        asked.unwrap().reply,
        "engineers are asked to help with incident 1"
    );
    for id in ["bob", "cyd"] {
        let done = world.command(JOIN, &person(id)).unwrap();
        assert_eq!(done.reply, "you help with incident 1 now");
    }
    let again = world.command(JOIN, &person("bob")).unwrap();
    assert_eq!(again.reply, "you help with incident 1 already");
    let operator = world.command(JOIN, &ada()).unwrap();
    assert_eq!(operator.reply, "you are the operator of incident 1 already");
    let helping = &world.incident().roles.responders;
    assert_eq!(helping, &["bob".into(), "cyd".into()] as &[PersonId]);
    assert_eq!(joined(&world), 2);
}

#[test]
fn the_number_of_people_who_join_is_limited() {
    let mut world = operated();
    for number in 0..limits::RESPONDERS_MAX {
        world.command(JOIN, &person(&format!("p{number}"))).unwrap();
    }
    let refused = world.command(JOIN, &person("bob")).unwrap_err();
    assert!(
        refused.to_string().contains("ask its operator"),
        "{refused}"
    );
}

#[test]
fn engineers_are_not_asked_about_a_security_incident_and_join_it_only_with_clearance() {
    let mut world = World {
        security: true,
        ..World::default()
    };
    world.fire("A");
    let refused = world
        .command(help("who knows the ledger?"), &ada())
        .unwrap_err();
    assert!(refused.to_string().contains("page bob"), "{refused}");
    let refused = world.command(JOIN, &person("bob")).unwrap_err();
    assert!(refused.to_string().contains("clearance"), "{refused}");
    let may_see = Command::Join { may_see: true };
    world.command(may_see, &person("bob")).unwrap();
    assert_eq!(joined(&world), 1);
}

#[test]
fn nobody_is_asked_or_joins_once_it_is_over() {
    let mut world = operated();
    let reason = "fixed".to_owned();
    world.command(Command::Resolve { reason }, &ada()).unwrap();
    for command in [help("more hands"), JOIN] {
        let refused = world.command(command, &ada()).unwrap_err();
        assert!(matches!(refused, Refusal::NotActive { .. }), "{refused}");
    }
}

#[test]
fn only_a_person_joins_and_a_request_says_what_for() {
    let mut world = operated();
    let refused = world
        .command(JOIN, &Actor::Token("ci".to_owned()))
        .unwrap_err();
    assert!(
        refused.to_string().contains("only a person joins"),
        "{refused}"
    );
    assert!(world.command(help("  "), &ada()).is_err());
}
