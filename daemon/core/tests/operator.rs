//! What the operator is asked: how bad it is, how to go about it, and whether it is solved.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod common;

use common::{MINUTE, World, ada, person};
use tocsin_core::command::{Command, Named, Outcome};
use tocsin_core::event::LogKind;
use tocsin_core::{Actor, Event, Grade, Question, Role, ShiftEnd, Status, narrate};

const HOUR: u64 = 60 * MINUTE;

/// An incident of this grade that nobody has yet.
fn opened(grade: Grade, unsure: bool) -> World {
    let mut world = World {
        grade: Some(grade),
        unsure,
        ..World::default()
    };
    world.delays.approach_after_ms = Some(5 * MINUTE);
    world.fire("A");
    world
}

fn acknowledge(world: &mut World) {
    let via = "api".to_owned();
    world.command(Command::Acknowledge { via }, &ada()).unwrap();
}

/// An incident of this grade that Ada operates.
fn operated(grade: Grade) -> World {
    let mut world = opened(grade, false);
    acknowledge(&mut world);
    world
}

/// The questions so far, with the person to whom each went.
fn asked(world: &World) -> Vec<(&str, Question)> {
    let prompts = world.stream.iter().filter_map(|it| match &it.event {
        Event::Prompted { to, question, .. } => Some((to.as_str(), *question)),
        _ => None,
    });
    prompts.collect()
}

/// Ada answers the open question of this kind.
fn answer(world: &mut World, question: Question, choice: &str) -> Outcome {
    let mut all = world.incident().prompts.all.iter();
    let open = all.find(|(_, it)| it.is_open() && it.question == question);
    let prompt = *open.expect("it is open").0;
    let command = Command::Answer {
        prompt,
        choice: choice.to_owned(),
        via: "slack".to_owned(),
        replan: None,
        to: Some(world.named("bob")),
    };
    world.command(command, &ada()).unwrap()
}

fn is_open(world: &World, question: Question) -> bool {
    let mut all = world.incident().prompts.all.values();
    all.any(|it| it.is_open() && it.question == question)
}

fn says(world: &World, line: &str) -> bool {
    let mut lines = world.stream.iter().map(|it| narrate(world.incident(), it));
    lines.any(|it| it == line)
}

#[test]
fn the_operator_is_asked_how_bad_it_is_once_they_have_it_if_a_policy_is_unsure() {
    for (choice, grade) in [
        ("unreachable", Grade::Critical),
        ("data-lost", Grade::Critical),
        ("broken", Grade::Major),
        ("works", Grade::Minor),
    ] {
        let mut world = opened(Grade::Minor, true);
        world.run_until(MINUTE);
        assert_eq!(asked(&world), [], "nobody has it yet");
        acknowledge(&mut world);
        world.run_until(2 * MINUTE);
        assert_eq!(asked(&world), [("ada", Question::Grade)]);
        answer(&mut world, Question::Grade, choice);
        let grading = &world.incident().grading;
        assert_eq!((grading.grade, grading.by_person), (grade, true));
        world.run_until(3 * MINUTE);
        let again = |it: &&(&str, Question)| it.1 == Question::Grade;
        assert_eq!(asked(&world).iter().filter(again).count(), 1);
    }
}

#[test]
fn who_grades_it_by_hand_is_not_asked_any_more() {
    let mut world = opened(Grade::Minor, true);
    acknowledge(&mut world);
    world.run_until(MINUTE);
    assert!(is_open(&world, Question::Grade));
    let by_hand = Command::Grade {
        grade: Grade::Major,
        security: None,
        may_declassify: false,
        reason: "seen".to_owned(),
        replan: None,
    };
    world.command(by_hand, &ada()).unwrap();
    assert!(!is_open(&world, Question::Grade));
}

#[test]
fn a_rise_above_a_persons_grade_asks_the_operator_and_one_press_follows_it() {
    let mut world = operated(Grade::Minor);
    let by_hand = Command::Grade {
        grade: Grade::Minor,
        security: None,
        may_declassify: false,
        reason: "known".to_owned(),
        replan: None,
    };
    world.command(by_hand, &ada()).unwrap();
    world.grade = Some(Grade::Critical);
    world.fire("B");
    assert_eq!(world.incident().grading.grade, Grade::Minor, "hers stands");
    world.run_until(MINUTE);
    let question = Question::Regrade(Grade::Critical);
    assert_eq!(asked(&world), [("ada", question)]);
    answer(&mut world, question, "yes");
    assert_eq!(world.incident().grading.grade, Grade::Critical);
    let line = "ada graded it critical: as a policy proposed";
    assert!(says(&world, line), "{:#?}", world.stream);
}

#[test]
fn the_operator_of_a_major_incident_decides_whether_to_mitigate_first() {
    let mut world = operated(Grade::Major);
    world.run_until(5 * MINUTE - 1);
    assert_eq!(asked(&world), [], "they have not looked yet");
    world.run_until(5 * MINUTE);
    assert_eq!(asked(&world), [("ada", Question::Approach)]);
    answer(&mut world, Question::Approach, "mitigate");
    let decided = world.count(|it| {
        matches!(it, Event::Logged { kind: LogKind::Decided, body, .. } if body == "Mitigate first")
    });
    assert_eq!(decided, 1);
    world.run_until(30 * MINUTE);
    assert_eq!(asked(&world).len(), 1);
}

#[test]
fn nobody_is_asked_how_to_go_about_a_minor_or_mitigated_incident() {
    let mut minor = operated(Grade::Minor);
    minor.run_until(HOUR);
    assert_eq!(asked(&minor), []);
    let mut mitigated = operated(Grade::Major);
    let reason = "rolled back".to_owned();
    mitigated
        .command(Command::Mitigate { reason }, &ada())
        .unwrap();
    mitigated.run_until(10 * MINUTE);
    assert_eq!(asked(&mitigated), []);
}

#[test]
fn alerts_that_end_do_not_resolve_what_a_person_has_but_ask_them() {
    let mut world = operated(Grade::Minor);
    world.at(10 * MINUTE).end("A");
    world.run_until(20 * MINUTE);
    assert_eq!(world.incident().lifecycle.status, Status::Open);
    assert_eq!(asked(&world), [("ada", Question::Solved)]);
    let mut mitigated = operated(Grade::Minor);
    mitigated.at(10 * MINUTE).end("A");
    mitigated.run_until(20 * MINUTE);
    answer(&mut world, Question::Solved, "yes");
    assert_eq!(world.incident().lifecycle.status, Status::Resolved);
    answer(&mut mitigated, Question::Solved, "mitigated");
    assert_eq!(mitigated.incident().lifecycle.status, Status::Mitigated);
}

#[test]
fn without_an_answer_it_is_resolved_a_day_later_and_nobody_is_asked_more() {
    let mut world = operated(Grade::Minor);
    world.at(10 * MINUTE).end("A");
    world.run_until(24 * HOUR);
    assert_eq!(world.incident().lifecycle.status, Status::Open);
    assert_eq!(
        asked(&world).len(),
        1,
        "also not whether she is still on it"
    );
    world.run_until(24 * HOUR + 20 * MINUTE);
    assert_eq!(world.incident().lifecycle.status, Status::Resolved);
    let line = "resolved by tocsin: no alert has fired for 24h, and ada has not said whether it \
                is solved";
    assert!(says(&world, line), "{:#?}", world.stream);
}

#[test]
fn who_says_that_it_is_not_solved_keeps_it_and_is_asked_later_whether_they_are_still_on_it() {
    let mut world = operated(Grade::Minor);
    world.at(10 * MINUTE).end("A");
    world.run_until(20 * MINUTE);
    answer(&mut world, Question::Solved, "no");
    world.run_until(30 * HOUR);
    assert_eq!(world.incident().lifecycle.status, Status::Open);
    assert!(is_open(&world, Question::StillOnIt));
}

#[test]
fn an_alert_that_fires_again_withdraws_the_question_whether_it_is_solved() {
    let mut world = operated(Grade::Minor);
    world.at(10 * MINUTE).end("A");
    world.run_until(20 * MINUTE);
    world.at(20 * MINUTE + 1).fire("A");
    assert!(!is_open(&world, Question::Solved));
    let line = "the question to ada needs no answer: an alert fires again";
    assert!(says(&world, line), "{:#?}", world.stream);
    world.at(22 * MINUTE).end("A");
    world.run_until(30 * MINUTE);
    assert!(is_open(&world, Question::Solved), "and it is asked anew");
}

#[test]
fn who_slept_through_the_question_whether_it_is_solved_is_paged_when_an_alert_fires_again() {
    let mut world = operated(Grade::Critical);
    let pages = world.paged().len();
    world.at(10 * MINUTE).end("A");
    world.run_until(40 * MINUTE);
    world.fire("A");
    world.run_until(40 * MINUTE);
    assert_eq!(world.paged().len(), pages + 1);
    let line = "the escalation starts again: an alert fires again, and ada has not said whether \
                it was solved";
    assert!(says(&world, line), "{:#?}", world.stream);
}

#[test]
fn nobody_has_it_so_it_resolves_by_itself() {
    let mut world = opened(Grade::Minor, false);
    world.at(10 * MINUTE).end("A");
    world.run_until(20 * MINUTE);
    assert_eq!(world.incident().lifecycle.status, Status::Resolved);
    assert_eq!(asked(&world), []);
}

#[test]
fn what_one_operator_has_not_answered_the_next_one_is_asked() {
    let mut world = operated(Grade::Major);
    world.run_until(5 * MINUTE);
    let bob = Named {
        person: Some(Box::new(person("bob"))),
        ..Named::of("bob".into())
    };
    let takes = Command::HandOff {
        role: Some(Role::Operator),
        to: bob,
        via: "slack".to_owned(),
    };
    world.command(takes, &Actor::Person("bob".into())).unwrap();
    world.run_until(6 * MINUTE);
    let question = Question::Approach;
    assert_eq!(asked(&world), [("ada", question), ("bob", question)]);
}

#[test]
fn who_cannot_be_asked_is_named_in_the_log_once() {
    let mut world = operated(Grade::Major);
    world.silent = vec!["slack", "mail", "phone", "sms"];
    world.run_until(30 * MINUTE);
    assert_eq!(asked(&world), []);
    let line = "ada cannot be asked: Can it be resolved directly, or must it be mitigated first?";
    assert!(says(&world, line), "{:#?}", world.stream);
    let skipped = world.count(|it| matches!(it, Event::PromptSkipped { .. }));
    assert_eq!(skipped, 1);
}

/// Ada's shift ends in a quarter of an hour.
fn shift_ends(world: &mut World) -> Outcome {
    let shift = ShiftEnd {
        person: "ada".into(),
        rotation: "primary".to_owned(),
        at: world.now.plus_ms(15 * MINUTE),
        next: "bob".into(),
    };
    let ends = Command::ShiftEnds(shift);
    world.command(ends, &Actor::Tocsin).unwrap()
}

#[test]
fn whoever_has_an_incident_when_their_shift_ends_is_asked_to_hand_it_over_and_the_other_accepts() {
    let mut world = operated(Grade::Minor);
    shift_ends(&mut world);
    assert!(shift_ends(&mut world).is_reply(), "it is known");
    assert!(says(
        &world,
        "the shift of ada ends in 15 min; then bob is on call"
    ));
    world.run_until(15 * MINUTE - 1);
    assert_eq!(asked(&world), []);
    world.run_until(15 * MINUTE);
    assert_eq!(asked(&world), [("ada", Question::HandOver)]);
    answer(&mut world, Question::HandOver, "yes");
    let offered = ("bob", Question::Accept(Role::Operator));
    assert_eq!(asked(&world).last(), Some(&offered));
    assert_eq!(world.incident().roles.operator, Some("ada".into()));
}

#[test]
fn whoever_stays_on_it_after_their_shift_is_asked_once() {
    let mut world = operated(Grade::Minor);
    shift_ends(&mut world);
    world.run_until(15 * MINUTE);
    let stays = answer(&mut world, Question::HandOver, "no");
    assert_eq!(stays.reply, "you stay the operator");
    world.run_until(50 * MINUTE);
    assert_eq!(asked(&world), [("ada", Question::HandOver)]);
}

#[test]
fn whoever_passed_an_incident_on_before_their_shift_ended_is_not_asked() {
    let mut world = operated(Grade::Minor);
    shift_ends(&mut world);
    let take = Command::HandOff {
        role: Some(Role::Operator),
        to: world.named("bob"),
        via: "slack".to_owned(),
    };
    world.command(take, &Actor::Person("bob".into())).unwrap();
    world.run_until(20 * MINUTE);
    assert_eq!(asked(&world), []);
    assert!(shift_ends(&mut world).is_reply(), "it is not ada's");
}

#[test]
fn that_it_is_not_solved_counts_however_many_questions_follow() {
    let mut world = operated(Grade::Critical);
    world.end("A");
    world.run_until(20 * MINUTE);
    answer(&mut world, Question::Solved, "no");
    for hour in 1..40 {
        world.run_until(hour * HOUR + 30 * MINUTE);
        if is_open(&world, Question::StillOnIt) {
            answer(&mut world, Question::StillOnIt, "yes");
        }
    }
    assert_eq!(world.incident().lifecycle.status, Status::Open);
}

#[test]
fn a_press_that_comes_too_late_does_nothing_and_says_so() {
    let mut world = operated(Grade::Minor);
    shift_ends(&mut world);
    world.run_until(15 * MINUTE);
    let prompt = world.incident().prompts.last;
    let press = |choice: &str| Command::Answer {
        prompt,
        choice: choice.to_owned(),
        via: "slack".to_owned(),
        replan: None,
        to: None,
    };
    world.command(press("no"), &ada()).unwrap();
    let twice = world.command(press("no"), &ada()).unwrap();
    assert_eq!(twice.reply, "you have answered");
    let late = world.command(press("yes"), &Actor::Person("bob".into()));
    let why = late.unwrap_err().to_string();
    assert!(why.contains("ada has answered already"), "{why}");
}

#[test]
fn whoever_speaks_and_takes_over_as_operator_speaks_no_more() {
    let mut world = opened(Grade::Major, false);
    let speak = Command::HandOff {
        role: Some(Role::Spokesperson),
        to: world.named("ada"),
        via: "slack".to_owned(),
    };
    world.command(speak, &ada()).unwrap();
    acknowledge(&mut world);
    assert_eq!(world.incident().roles.of(Role::Spokesperson), None);
    let mut minor = opened(Grade::Minor, false);
    let speak = Command::HandOff {
        role: Some(Role::Spokesperson),
        to: minor.named("ada"),
        via: "slack".to_owned(),
    };
    minor.command(speak, &ada()).unwrap();
    acknowledge(&mut minor);
    assert_eq!(
        minor.incident().roles.of(Role::Spokesperson),
        Some(&"ada".into())
    );
    let worse = Command::Grade {
        grade: Grade::Critical,
        security: None,
        may_declassify: false,
        reason: "it is down".to_owned(),
        replan: None,
    };
    minor.command(worse, &ada()).unwrap();
    assert_eq!(minor.incident().roles.of(Role::Spokesperson), None);
}
