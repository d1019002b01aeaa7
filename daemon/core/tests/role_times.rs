//! How long people have their roles in an incident.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod common;

use common::{MINUTE, World, ada};
use tocsin_core::command::{Command, Named};
use tocsin_core::incident::Incident;
use tocsin_core::{Actor, Event, Role, RoleTime, Roles};

fn actor(id: &str) -> Actor {
    Actor::Person(id.into())
}

fn acknowledge(world: &mut World, by: &str) {
    let via = "api".to_owned();
    let command = Command::Acknowledge { via };
    world.command(command, &actor(by)).unwrap();
}

/// Somebody names themself.
fn take(world: &mut World, role: Role, by: &str) {
    let to = Named {
        id: by.into(),
        person: Some(Box::new(world.reached(by))),
    };
    let (role, via) = (Some(role), "api".to_owned());
    let command = Command::HandOff { role, to, via };
    world.command(command, &actor(by)).unwrap();
}

fn resolve(world: &mut World) {
    let reason = "it works again".to_owned();
    world.command(Command::Resolve { reason }, &ada()).unwrap();
}

fn shown(it: &RoleTime) -> (String, Role, u64, u64) {
    let minute = |at: tocsin_core::Timestamp| u64::try_from(at.0).unwrap() / MINUTE;
    (
        it.person.to_string(),
        it.role,
        minute(it.from),
        minute(it.until),
    )
}

/// What ended so far, event by event, in minutes.
fn ended(world: &World) -> Vec<(String, Role, u64, u64)> {
    let mut incident: Option<Incident> = None;
    let mut all = Vec::new();
    for recorded in &world.stream {
        let before = incident.as_ref().map(|it| it.roles.clone());
        let after = match incident.take() {
            None => Incident::begin(&"i1".into(), recorded).unwrap(),
            Some(it) => it.fold(recorded),
        };
        let before = before.unwrap_or_default();
        all.extend(before.ended(&after.roles, recorded.at).map(|it| shown(&it)));
        incident = Some(after);
    }
    all
}

fn underway(world: &World) -> Vec<(String, Role, u64, u64)> {
    let roles: &Roles = &world.incident().roles;
    roles.underway(world.now).map(|it| shown(&it)).collect()
}

fn time(person: &str, role: Role, from: u64, until: u64) -> (String, Role, u64, u64) {
    (person.to_owned(), role, from, until)
}

#[test]
fn a_role_lasts_until_another_has_it_or_the_incident_is_over() {
    use Role::{Operator, Shadow, Spokesperson};
    let mut world = World::default();
    world.fire("A");
    acknowledge(world.at(2 * MINUTE), "ada");
    take(world.at(5 * MINUTE), Spokesperson, "bob");
    take(world.at(5 * MINUTE), Shadow, "cyd");
    assert_eq!(ended(&world), []);
    take(world.at(20 * MINUTE), Operator, "cyd");
    assert_eq!(ended(&world), [time("ada", Operator, 2, 20)]);
    assert_eq!(
        underway(&world),
        [
            time("cyd", Operator, 20, 20),
            time("bob", Spokesperson, 5, 20),
            time("cyd", Shadow, 5, 20),
        ]
    );
    resolve(world.at(30 * MINUTE));
    assert_eq!(
        ended(&world)[1..],
        [
            time("cyd", Operator, 20, 30),
            time("bob", Spokesperson, 5, 30),
            time("cyd", Shadow, 5, 30),
        ]
    );
    assert_eq!(underway(world.at(90 * MINUTE)), [], "nobody is at work");
}

#[test]
fn whoever_acknowledges_again_goes_on() {
    let mut world = World::default();
    world.fire("A");
    acknowledge(world.at(2 * MINUTE), "ada");
    acknowledge(world.at(9 * MINUTE), "ada");
    assert_eq!(ended(&world), []);
    assert_eq!(underway(&world), [time("ada", Role::Operator, 2, 9)]);
}

#[test]
fn whoever_gives_up_the_acknowledgement_is_the_operator_no_longer() {
    let mut world = World::default();
    world.fire("A");
    acknowledge(world.at(2 * MINUTE), "ada");
    let reason = None;
    let unack = Command::Unacknowledge { reason };
    world.at(9 * MINUTE).command(unack, &ada()).unwrap();
    assert_eq!(ended(&world), [time("ada", Role::Operator, 2, 9)]);
    assert_eq!(underway(&world), []);
}

#[test]
fn the_time_between_a_resolve_and_a_reopening_counts_for_nobody() {
    let mut world = World::default();
    world.fire("A");
    acknowledge(world.at(2 * MINUTE), "ada");
    take(world.at(5 * MINUTE), Role::Spokesperson, "bob");
    resolve(world.at(30 * MINUTE));
    let reason = "it fires again".to_owned();
    world.at(40 * MINUTE).happened(Event::Reopened { reason });
    assert_eq!(
        underway(world.at(50 * MINUTE)),
        [time("bob", Role::Spokesperson, 40, 50)],
        "an operator must be found anew"
    );
    acknowledge(world.at(50 * MINUTE), "ada");
    resolve(world.at(55 * MINUTE));
    assert_eq!(
        ended(&world)[2..],
        [
            time("ada", Role::Operator, 50, 55),
            time("bob", Role::Spokesperson, 40, 55),
        ]
    );
}
