//! Where a question is asked: at the person's contacts in turn, until a channel accepts it.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use common::{MINUTE, World, ada, people, take_all, take_questions};
use tocsin_core::command::{Command, Refusal};
use tocsin_core::consequences::{Notice, Timer, TimerKind};
use tocsin_core::incident::PromptState;
use tocsin_core::{Actor, Grade, narrate};

const HOUR: u64 = 60 * MINUTE;

/// Ada has a critical incident, and was just asked whether she is still on it.
fn asked() -> World {
    let mut world = World {
        grade: Some(Grade::Critical),
        ..World::default()
    };
    world.fire("A");
    take_all(&mut world);
    let via = "slack".to_owned();
    world.command(Command::Acknowledge { via }, &ada()).unwrap();
    world.run_until(HOUR);
    world
}

/// The channels that were to ask, in order.
fn channels(world: &World) -> Vec<&str> {
    let prompts = world.notices.iter().filter_map(|it| match it {
        Notice::Prompt { channel, .. } => Some(channel.as_str()),
        _ => None,
    });
    prompts.collect()
}

/// The channels whose buttons were removed.
fn settled(world: &World) -> Vec<&str> {
    let settled = world.notices.iter().filter_map(|it| match it {
        Notice::PromptSettled { channel, .. } => Some(channel.as_str()),
        _ => None,
    });
    settled.collect()
}

fn failed(contact: u32) -> Command {
    Command::PromptFailed {
        prompt: 1,
        contact,
        reason: "the workspace is gone".to_owned(),
    }
}

fn accepted(contact: u32, others: u32) -> Command {
    Command::PromptAccepted {
        prompt: 1,
        contact,
        others,
    }
}

fn says(world: &World, line: &str) -> bool {
    let mut lines = world.stream.iter().map(|it| narrate(world.incident(), it));
    lines.any(|it| it == line)
}

#[test]
fn a_question_that_a_channel_rejects_goes_to_the_next_contact_once() {
    let mut world = asked();
    assert_eq!(channels(&world), ["slack"]);
    world.command(failed(0), &Actor::Tocsin).unwrap();
    assert_eq!(channels(&world), ["slack", "mail"]);
    assert_eq!(
        world.command(failed(0), &Actor::Tocsin),
        Err(Refusal::Stale("the question"))
    );
    let line = "the question to ada was not sent by slack: the workspace is gone; it goes by mail";
    assert!(says(&world, line), "{:#?}", world.stream);
}

#[test]
fn a_question_that_no_channel_accepts_in_time_goes_to_the_next_contact() {
    let mut world = asked();
    world.run_until(HOUR + 3 * MINUTE - 1);
    assert_eq!(channels(&world), ["slack"]);
    world.run_until(HOUR + 3 * MINUTE);
    assert_eq!(channels(&world), ["slack", "mail"]);
    let prompt = world.incident().prompts.all[&1].clone();
    assert!(!prompt.is_wanted_at(0) && prompt.is_wanted_at(1));
}

#[test]
fn a_question_that_waits_for_others_waits_for_its_channel_from_when_it_leaves() {
    let mut world = asked();
    let leaves = world.now.plus_ms(5 * MINUTE);
    world.held_until = Some(leaves);
    world.run_until(HOUR + 3 * MINUTE);
    world.held_until = None;
    assert!(world.incident().prompts.all[&1].is_wanted_at(0));
    world.run_until(HOUR + 8 * MINUTE - 1);
    assert_eq!(channels(&world), ["slack"]);
    world.run_until(HOUR + 8 * MINUTE);
    assert_eq!(channels(&world), ["slack", "mail"]);
    let line = "the question to ada waits for its channel again";
    assert!(says(&world, line), "{:#?}", world.stream);
}

#[test]
fn a_question_whose_wait_passed_while_the_daemon_was_down_gets_a_new_wait() {
    let mut world = asked();
    let is_question = |it: &Timer| matches!(it.kind, TimerKind::Prompt { .. });
    let timer = world.timers().into_iter().find(is_question).unwrap();
    assert_eq!(timer.due, world.now.plus_ms(3 * MINUTE));
    world.at(HOUR + 6 * MINUTE + 1);
    world.fire_timer(&timer).unwrap();
    assert!(world.incident().prompts.all[&1].is_wanted_at(0));
    world.run_until(HOUR + 9 * MINUTE + 1);
    assert_eq!(channels(&world), ["slack", "mail"]);
}

#[test]
fn a_question_that_waits_for_others_until_its_time_is_over_expires() {
    let mut world = asked();
    world.held_until = Some(world.now.plus_ms(20 * MINUTE));
    world.run_until(HOUR + 10 * MINUTE - 1);
    assert_eq!(people(&world), ["ada"]);
    world.run_until(HOUR + 10 * MINUTE);
    assert_eq!(people(&world), ["ada", "ada"]);
}

#[test]
fn a_question_that_a_channel_accepts_stays_there() {
    let mut world = asked();
    world.command(accepted(0, 299), &Actor::Tocsin).unwrap();
    world.run_until(HOUR + 9 * MINUTE);
    assert_eq!(channels(&world), ["slack"]);
    let line = "the question to ada was sent by slack, in one message with 299 others";
    assert!(says(&world, line), "{:#?}", world.stream);
    let again = world.command(accepted(0, 299), &Actor::Tocsin);
    assert_eq!(again, Err(Refusal::Stale("the question")));
}

#[test]
fn whoever_no_channel_can_ask_is_not_blamed_and_the_escalation_starts_again_at_the_end() {
    let mut world = asked();
    world.command(failed(0), &Actor::Tocsin).unwrap();
    world.command(failed(1), &Actor::Tocsin).unwrap();
    assert!(says(
        &world,
        "ada could not be asked: the workspace is gone"
    ));
    world.run_until(HOUR + 10 * MINUTE - 1);
    assert_eq!(people(&world), ["ada"]);
    world.run_until(HOUR + 10 * MINUTE);
    assert_eq!(people(&world), ["ada", "ada"]);
    let line = "the escalation starts again: ada could not be asked whether they are still on it";
    assert!(says(&world, line), "{:#?}", world.stream);
}

#[test]
fn the_buttons_go_wherever_the_question_was_accepted_also_if_that_was_learned_later() {
    let mut world = asked();
    world.run_until(HOUR + 3 * MINUTE);
    take_questions(&mut world);
    let via = "mail".to_owned();
    let choice = "yes".to_owned();
    let yes = Command::Answer {
        prompt: 1,
        choice,
        via,
        replan: None,
        to: None,
    };
    world.command(yes, &ada()).unwrap();
    let state = &world.incident().prompts.all[&1].state;
    assert!(matches!(state, PromptState::Answered { .. }), "{state:?}");
    assert_eq!(settled(&world), ["mail"]);
    // Slack had it all the same.
    world.command(accepted(0, 0), &Actor::Tocsin).unwrap();
    assert_eq!(settled(&world), ["mail", "slack"]);
    let again = world.command(accepted(0, 0), &Actor::Tocsin);
    assert_eq!(again, Err(Refusal::Stale("the question")));
    assert_eq!(settled(&world), ["mail", "slack"]);
}
