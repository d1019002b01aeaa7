//! Work that is assigned in an incident.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod common;

use common::{MINUTE, World, ada, operated};
use tocsin_core::command::{Command, Named, Refusal};
use tocsin_core::{Actor, Event, Question, TaskChange, limits};

fn add(text: &str, owner: Option<&str>) -> Command {
    Command::Task(TaskChange::Add {
        text: text.to_owned(),
        owner: owner.map(|it| Named::of(it.into())),
    })
}

fn done(task: u32) -> Command {
    Command::Task(TaskChange::Done { task })
}

fn assign(task: u32, owner: &str) -> Command {
    let owner = Named::of(owner.into());
    Command::Task(TaskChange::Assign { task, owner })
}

fn asked(world: &World) -> usize {
    world.count(|it| matches!(it, Event::Prompted { .. }))
}

#[test]
fn a_task_has_an_owner_until_it_is_done() {
    let mut world = operated();
    world
        .command(add("restart the primary", None), &ada())
        .unwrap();
    world.command(assign(1, "bob"), &ada()).unwrap();
    let task = world.incident().tasks.all[&1].clone();
    assert_eq!(task.owner, Some("bob".into()));
    world.run_until(20 * MINUTE);
    assert_eq!(asked(&world), 0, "it has an owner");
    world
        .command(done(1), &Actor::Person("bob".into()))
        .unwrap();
    assert_eq!(world.incident().tasks.open().count(), 0);
    let again = world.command(done(1), &ada()).unwrap_err();
    assert_eq!(
        again.to_string(),
        "there is no open task; `task @PERSON TEXT` adds one"
    );
}

#[test]
fn the_operator_is_asked_once_to_take_a_task_that_nobody_takes() {
    let mut world = operated();
    world
        .command(add("restart the primary", None), &ada())
        .unwrap();
    world
        .command(add("tell the vendor", Some("bob")), &ada())
        .unwrap();
    world.run_until(10 * MINUTE);
    assert_eq!(asked(&world), 1);
    let prompts = &world.incident().prompts;
    assert_eq!(prompts.all[&1].question, Question::TakeTask(1));
    let answer = Command::Answer {
        prompt: 1,
        choice: "yes".to_owned(),
        via: "slack".to_owned(),
        replan: None,
        to: None,
    };
    world.command(answer, &ada()).unwrap();
    assert_eq!(world.incident().tasks.all[&1].owner, Some("ada".into()));
    world.run_until(60 * MINUTE);
    assert_eq!(asked(&world), 1);
}

#[test]
fn a_task_that_is_assigned_meanwhile_needs_no_answer() {
    let mut world = operated();
    world
        .command(add("restart the primary", None), &ada())
        .unwrap();
    world.run_until(10 * MINUTE);
    assert!(world.incident().prompts.all[&1].is_open());
    world.command(assign(1, "bob"), &ada()).unwrap();
    assert!(!world.incident().prompts.all[&1].is_open());
}

#[test]
fn an_incident_has_a_limited_number_of_open_tasks() {
    let mut world = operated();
    let most = u32::try_from(limits::TASKS_MAX).unwrap();
    for number in 1..=most {
        world
            .command(add(&format!("{number}"), Some("bob")), &ada())
            .unwrap();
    }
    let full = world.command(add("one more", None), &ada()).unwrap_err();
    assert!(full.to_string().contains("`task done 1`"), "{full}");
    world.command(done(3), &ada()).unwrap();
    world.command(add("one more", Some("bob")), &ada()).unwrap();
    let tasks = &world.incident().tasks;
    assert_eq!((tasks.all.len(), tasks.all.contains_key(&3)), (64, false));
}

#[test]
fn a_wrong_task_is_answered_with_what_there_is() {
    let mut world = operated();
    world.command(add("one", None), &ada()).unwrap();
    world.command(add("two", None), &ada()).unwrap();
    let refused = |answer: Result<_, Refusal>| match answer {
        Ok(()) => panic!("it is carried out"),
        Err(refusal) => refusal.to_string(),
    };
    let wrong = world.command(assign(7, "bob"), &ada()).map(drop);
    assert_eq!(
        refused(wrong),
        "there is no open task 7; open: 1, 2, as in `task done 1`"
    );
    let empty = world.command(add("  ", None), &ada()).map(drop);
    assert_eq!(refused(empty), "the task is empty; enter some text");
    let long = world.command(add(&"x".repeat(301), None), &ada()).map(drop);
    assert!(refused(long).contains("more than 300"));
}
