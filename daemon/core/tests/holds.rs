//! Holds: an acknowledged incident is not a forgotten one, and a rise is told.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod common;

use common::{MINUTE, World, ada, people, person, plan_of, take_all, take_questions};
use tocsin_core::command::{Command, Named, Refusal};
use tocsin_core::consequences::Notice;
use tocsin_core::incident::PromptState;
use tocsin_core::{Actor, Event, Grade, SilenceRef, narrate};

const HOUR: u64 = 60 * MINUTE;

fn bob() -> Actor {
    Actor::Person("bob".into())
}

fn world_named(id: &str) -> Named {
    Named {
        person: Some(Box::new(person(id))),
        ..Named::of(id.into())
    }
}

fn acknowledge() -> Command {
    Command::Acknowledge {
        via: "slack".to_owned(),
    }
}

/// Ada has a critical incident since the beginning; its plan pages Ada, and Bob five minutes later.
fn acknowledged() -> World {
    let mut world = World {
        grade: Some(Grade::Critical),
        plan: Some(plan_of(&[&["ada"], &["bob"]])),
        ..World::default()
    };
    world.fire("A");
    take_all(&mut world);
    world.command(acknowledge(), &ada()).unwrap();
    world
}

/// Whom prompts were sent to, in order, through which channel.
fn asked(world: &World) -> Vec<(&str, &str)> {
    let prompts = world.notices.iter().filter_map(|it| match it {
        Notice::Prompt {
            person, channel, ..
        } => Some((person.as_str(), channel.as_str())),
        _ => None,
    });
    prompts.collect()
}

fn says_in_log(world: &World, line: &str) -> bool {
    let mut lines = world.stream.iter().map(|it| narrate(world.incident(), it));
    lines.any(|it| it == line)
}

fn answer(prompt: u32, choice: &str) -> Command {
    Command::Answer {
        prompt,
        choice: choice.to_owned(),
        via: "slack".to_owned(),
        replan: None,
        to: None,
    }
}

#[test]
fn an_acknowledgement_holds_for_a_time_by_grade_or_as_the_plan_says() {
    let plan_says = Some(2 * HOUR);
    for (grade, hold_ms, hours) in [
        (Grade::Critical, None, 1),
        (Grade::Major, None, 4),
        (Grade::Minor, None, 24),
        (Grade::Minor, plan_says, 2),
    ] {
        let mut world = acknowledged();
        world = World {
            grade: Some(grade),
            plan: world.plan.take(),
            ..World::default()
        };
        world.plan.as_mut().unwrap().hold_ms = hold_ms;
        world.fire("A");
        world.command(acknowledge(), &ada()).unwrap();
        world.run_until(hours * HOUR - 1);
        assert_eq!(asked(&world), [], "{grade}");
        world.run_until(hours * HOUR);
        assert_eq!(asked(&world), [("ada", "slack")], "{grade}");
    }
}

#[test]
fn without_an_answer_the_escalation_starts_again() {
    let mut world = acknowledged();
    world.run_until(HOUR);
    take_questions(&mut world);
    world.run_until(HOUR + 10 * MINUTE - 1);
    assert_eq!(people(&world), ["ada"]);
    world.run_until(HOUR + 10 * MINUTE);
    assert_eq!(people(&world), ["ada", "ada"]);
    assert!(world.incident().is_unanswered());
    assert_eq!(world.incident().roles.operator, None);
    let says = "the escalation starts again: ada has not said that they are still on it";
    assert!(says_in_log(&world, says), "{:#?}", world.stream);
    world.run_until(HOUR + 15 * MINUTE);
    assert_eq!(people(&world), ["ada", "ada", "bob"]);
}

#[test]
fn who_says_that_they_are_still_on_it_is_asked_again_an_hour_later_and_paged_by_nobody() {
    let mut world = acknowledged();
    world.run_until(HOUR + MINUTE);
    world.command(answer(1, "yes"), &ada()).unwrap();
    assert!(matches!(
        world.incident().prompts.all[&1].state,
        PromptState::Answered { .. }
    ));
    world.run_until(2 * HOUR + MINUTE);
    assert_eq!(asked(&world).len(), 2);
    assert_eq!(people(&world), ["ada"]);
}

#[test]
fn a_question_is_answered_once_and_its_buttons_go() {
    let mut world = acknowledged();
    world.run_until(HOUR);
    take_questions(&mut world);
    world.command(answer(1, "no"), &ada()).unwrap();
    assert!(world.incident().is_unanswered(), "somebody else is paged");
    let gone = |it: &Notice| matches!(it, Notice::PromptSettled { prompt: 1, .. });
    assert!(world.notices.iter().any(gone));
    let again = world.command(answer(1, "yes"), &bob()).unwrap_err();
    let says = "ada has answered already; `status` shows how it is";
    assert_eq!(again.to_string(), says);
    for wrong in [answer(1, "perhaps"), answer(9, "yes")] {
        assert!(matches!(
            world.command(wrong, &ada()),
            Err(Refusal::Invalid(_))
        ));
    }
}

#[test]
fn acknowledging_again_answers_the_question_and_whoever_does_has_the_incident() {
    let mut world = acknowledged();
    let early = world.command(acknowledge(), &bob()).unwrap();
    assert!(early.reply.contains("operator: ada"), "{}", early.reply);
    world.run_until(HOUR);
    world.command(acknowledge(), &bob()).unwrap();
    assert_eq!(world.incident().roles.operator, Some("bob".into()));
    assert_eq!(world.incident().prompts.all[&1].state, PromptState::Settled);
    world.run_until(2 * HOUR - 1);
    assert_eq!(asked(&world).len(), 1);
}

#[test]
fn a_question_that_nobody_answered_says_so_in_the_log_and_takes_no_late_answer() {
    let mut world = acknowledged();
    world.run_until(HOUR + 10 * MINUTE);
    let late = world.command(answer(1, "yes"), &ada()).unwrap_err();
    let says = "this question needs no answer any more; `status` shows how it is";
    assert_eq!(late.to_string(), says);
    assert!(world.incident().is_unanswered());
}

#[test]
fn with_nothing_firing_or_all_of_it_silenced_an_expired_hold_asks_and_pages_nobody() {
    for silenced in [true, false] {
        let mut world = acknowledged();
        world.delays.resolve_after_ms = 100 * HOUR;
        match silenced {
            true => {
                let silence = SilenceRef {
                    id: "s".to_owned(),
                    ..SilenceRef::default()
                };
                world.tally.silenced = 1;
                world.tally.silences = vec![silence];
            }
            false => drop(world.end("A")),
        }
        world.run_until(5 * HOUR);
        assert_eq!(people(&world), ["ada"], "silenced: {silenced}");
        assert!(asked(&world).len() >= 4, "{:?}", asked(&world));
    }
}

#[test]
fn whoever_cannot_be_asked_is_not_waited_for() {
    let mut world = acknowledged();
    world.silent = vec!["slack", "mail"];
    world.run_until(HOUR);
    assert_eq!(asked(&world), []);
    assert_eq!(people(&world), ["ada", "ada"]);
}

#[test]
fn the_log_does_not_blame_whoever_could_not_be_asked() {
    let mut world = acknowledged();
    world.silent = vec!["slack", "mail"];
    world.tally.silenced = 1;
    world.run_until(HOUR + 30 * MINUTE);
    assert_eq!(people(&world), ["ada"], "it is silenced");
    world.tally.silenced = 0;
    world.run_until(HOUR + 30 * MINUTE);
    assert_eq!(people(&world), ["ada", "ada"]);
    let says = "the escalation starts again: ada could not be asked whether they are still on it";
    assert!(says_in_log(&world, says), "{:#?}", world.stream);
}

#[test]
fn a_rise_above_what_was_acknowledged_pages_whoever_has_it() {
    let mut world = acknowledged();
    world = World {
        grade: Some(Grade::Major),
        plan: world.plan.take(),
        ..World::default()
    };
    world.fire("A");
    world.command(acknowledge(), &ada()).unwrap();
    world.grade = Some(Grade::Critical);
    world.at(MINUTE);
    world.fire("B");
    world.run_until(MINUTE);
    take_all(&mut world);
    assert_eq!(people(&world), ["ada", "ada"]);
    assert!(!world.incident().is_unanswered(), "she has it");
    world.run_until(3 * MINUTE);
    world.command(acknowledge(), &ada()).unwrap();
    world.run_until(59 * MINUTE);
    let lines: Vec<_> = world
        .stream
        .iter()
        .map(|it| narrate(world.incident(), it))
        .collect();
    assert_eq!(people(&world), ["ada", "ada"], "{lines:#?}");
    assert_eq!(asked(&world), []);
}

#[test]
fn a_rise_that_is_not_confirmed_in_time_escalates() {
    let mut world = acknowledged();
    world = World {
        grade: Some(Grade::Minor),
        plan: world.plan.take(),
        ..World::default()
    };
    world.fire("A");
    world.command(acknowledge(), &ada()).unwrap();
    world.grade = Some(Grade::Critical);
    world.fire("B");
    world.run_until(0);
    take_all(&mut world);
    world.run_until(5 * MINUTE);
    assert_eq!(
        people(&world),
        ["ada", "ada", "ada"],
        "the plan starts again"
    );
    world.run_until(10 * MINUTE);
    assert_eq!(people(&world)[3..], ["bob"]);
}

#[test]
fn who_raises_it_themself_is_not_paged_for_that() {
    let mut world = World {
        plan: Some(plan_of(&[&["ada"]])),
        ..World::default()
    };
    world.fire("A");
    world.command(acknowledge(), &ada()).unwrap();
    let raise = Command::Grade {
        grade: Grade::Critical,
        security: None,
        may_declassify: false,
        reason: "the database is gone".to_owned(),
        replan: Some(Box::new(world.opening())),
    };
    world.command(raise, &ada()).unwrap();
    world.run_until(10 * MINUTE);
    assert_eq!(people(&world), ["ada"]);
}

#[test]
fn a_rise_before_anybody_acknowledged_pages_again_also_under_the_same_plan() {
    let mut world = World {
        grade: Some(Grade::Major),
        plan: Some(plan_of(&[&["ada"], &["bob"]])),
        ..World::default()
    };
    world.fire("A");
    take_all(&mut world);
    world.grade = Some(Grade::Critical);
    world.at(MINUTE);
    world.fire("B");
    assert_eq!(people(&world), ["ada", "ada"]);
    assert_eq!(world.incident().escalation.next_step, 1);
}

#[test]
fn a_snooze_holds_as_long_as_it_says_and_then_pages_again() {
    let mut world = acknowledged();
    let snooze = |for_ms| Command::Snooze {
        for_ms,
        via: "slack".to_owned(),
    };
    let done = world.command(snooze(30 * MINUTE), &ada()).unwrap();
    assert_eq!(
        done.reply,
        "incident 1 is snoozed for 30m; then it pages again"
    );
    let told = narrate(world.incident(), world.stream.last().unwrap());
    assert_eq!(told, "ada snoozed it for 30m");
    world.run_until(30 * MINUTE - 1);
    assert_eq!(people(&world), ["ada"]);
    world.run_until(30 * MINUTE);
    assert_eq!(people(&world), ["ada", "ada"]);
    assert_eq!(asked(&world), []);
    let done = world.command(snooze(2 * HOUR), &bob()).unwrap();
    let acks = |it: &Event| matches!(it, Event::Acknowledged { .. });
    assert!(done.events.iter().any(acks));
    assert_eq!(world.incident().roles.operator, Some("bob".into()));
    for wrong in [0, 59_999, 8 * 24 * HOUR] {
        let refused = world.command(snooze(wrong), &ada());
        assert!(matches!(refused, Err(Refusal::Invalid(_))));
    }
}

#[test]
fn an_incident_that_is_passed_on_is_that_persons_once_they_answer() {
    let mut world = acknowledged();
    let reached = || world_named("bob");
    let done = world.command(Command::Reassign { to: reached() }, &ada());
    assert_eq!(
        done.unwrap().reply,
        "incident 1 is passed on to bob; without an answer within 5m, the escalation starts again"
    );
    assert_eq!(world.incident().roles.operator, Some("ada".into()));
    assert_eq!(people(&world), ["ada", "bob"]);
    take_all(&mut world);
    world.run_until(5 * MINUTE - 1);
    assert_eq!(people(&world), ["ada", "bob"]);
    let mut answered = World {
        incident: world.incident.clone(),
        stream: world.stream.clone(),
        tally: world.tally.clone(),
        now: world.now,
        ..World::default()
    };
    answered.command(acknowledge(), &bob()).unwrap();
    assert_eq!(answered.incident().roles.operator, Some("bob".into()));
    answered.run_until(10 * MINUTE);
    assert_eq!(people(&answered), ["ada", "bob"]);
    world.run_until(5 * MINUTE);
    assert_eq!(people(&world)[2..], ["ada"], "the plan from its start");
}

#[test]
fn passing_on_ends_the_pages_to_everybody_else() {
    let mut world = World {
        plan: Some(plan_of(&[&["ada", "eve"]])),
        ..World::default()
    };
    world.fire("A");
    take_all(&mut world);
    let to = world_named("bob");
    world.command(Command::Reassign { to }, &ada()).unwrap();
    take_all(&mut world);
    world.run_until(4 * MINUTE);
    let rung = |person: &str| {
        let pages = world.notices.iter().filter(|it| match it {
            Notice::Page { person: it, .. } => it.as_str() == person,
            _ => false,
        });
        pages.count()
    };
    assert_eq!((rung("ada"), rung("eve")), (1, 1), "no next rung");
    let gone = |it: &&Notice| matches!(it, Notice::Settled { .. });
    assert_eq!(world.notices.iter().filter(gone).count(), 2);
}

#[test]
fn what_ends_the_incident_ends_its_hold_and_its_questions() {
    let mut world = acknowledged();
    world.delays.resolve_after_ms = 100 * HOUR;
    world.end("A");
    world.run_until(HOUR);
    let reason = "rolled back".to_owned();
    world.command(Command::Resolve { reason }, &ada()).unwrap();
    assert_eq!(world.incident().escalation.hold, None);
    assert_eq!(world.incident().prompts.all[&1].state, PromptState::Settled);
    world.run_until(3 * HOUR);
    assert_eq!(people(&world), ["ada"]);
}
