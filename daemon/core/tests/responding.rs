//! Who is asked to take the roles besides the operator, and when.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod common;

use common::{MINUTE, World, ada, verdict};
use tocsin_core::command::{Command, Named, Refusal};
use tocsin_core::consequences::TimerKind;
use tocsin_core::{
    Actor, Declined, Event, Grade, PersonId, Question, Response, Role, Timestamp, narrate,
};

use Role::{Shadow, Spokesperson};

/// An incident of which the policy says who is asked to speak and to be the shadow.
fn opened(grade: Grade, spokesperson: &[&str], shadow: &[&str]) -> World {
    let people = |ids: &[&str]| ids.iter().map(|it| PersonId::from(*it)).collect();
    let mut world = World {
        grade: Some(grade),
        response: Response {
            spokesperson: people(spokesperson),
            shadow: people(shadow),
            ..Response::default()
        },
        ..World::default()
    };
    world.fire("A");
    world
}

/// As [`opened`], and ada has it.
fn operated(grade: Grade, spokesperson: &[&str], shadow: &[&str]) -> World {
    let mut world = opened(grade, spokesperson, shadow);
    acknowledge(&mut world, &ada());
    settle(&mut world);
    world
}

fn acknowledge(world: &mut World, by: &Actor) {
    let via = "api".to_owned();
    world.command(Command::Acknowledge { via }, by).unwrap();
}

/// Fires what is due now.
fn settle(world: &mut World) {
    let now = u64::try_from(world.now.0).unwrap();
    world.run_until(now);
}

fn person(id: &str) -> Actor {
    Actor::Person(id.into())
}

/// The newest question about a role is answered.
fn answer(world: &mut World, role: Role, by: &str, choice: &str) {
    let prompts = world.incident().prompts.all.iter().rev();
    let mut prompts = prompts.filter(|(_, it)| it.question == Question::Accept(role));
    let prompt = *prompts.next().unwrap().0;
    let command = Command::Answer {
        prompt,
        choice: choice.to_owned(),
        via: "slack".to_owned(),
        replan: None,
        to: None,
    };
    world.command(command, &person(by)).unwrap();
    settle(world);
}

fn hand_off(world: &mut World, role: Role, to: &str, by: &str) {
    let command = Command::HandOff {
        role: Some(role),
        to: world.named(to),
        via: "api".to_owned(),
    };
    world.command(command, &person(by)).unwrap();
    settle(world);
}

fn grade(world: &mut World, grade: Grade) {
    let command = Command::Grade {
        grade,
        security: None,
        may_declassify: false,
        reason: "it is worse".to_owned(),
        replan: None,
    };
    world.command(command, &ada()).unwrap();
    settle(world);
}

/// Who was asked for a role, in order.
fn asked(world: &World, of: Role) -> Vec<&str> {
    let offers = world.stream.iter().filter_map(|it| match &it.event {
        Event::RoleOffered { role, to } if *role == of => Some(to.as_str()),
        _ => None,
    });
    offers.collect()
}

/// How often the policy was asked.
fn chosen(world: &World) -> usize {
    world.count(|it| matches!(it, Event::RespondersChosen { .. }))
}

fn unfilled(world: &World, of: Role) -> usize {
    world.count(|it| matches!(it, Event::RoleUnfilled { role } if *role == of))
}

fn log(world: &World) -> Vec<String> {
    let lines = world.stream.iter();
    lines.map(|it| narrate(world.incident(), it)).collect()
}

fn waits_for(world: &World, is: impl Fn(&TimerKind) -> bool) -> bool {
    world.timers().iter().any(|it| is(&it.kind))
}

#[test]
fn the_policy_is_asked_once_somebody_operates_and_the_first_whom_it_names_is_asked() {
    let mut world = opened(Grade::Critical, &["bob", "cyd"], &["eve"]);
    let asks = |it: &TimerKind| matches!(it, TimerKind::Respond | TimerKind::Offer { .. });
    assert!(!waits_for(&world, asks));
    acknowledge(&mut world, &ada());
    assert!(waits_for(&world, |it| *it == TimerKind::Respond));
    settle(&mut world);
    assert!(!waits_for(&world, asks), "they think about it");
    assert_eq!(asked(&world, Spokesperson), ["bob"]);
    assert_eq!(asked(&world, Shadow), ["eve"]);
    let log = log(&world);
    let says = "will ask bob, then cyd to be the spokesperson; eve to be the shadow by test.rhai: \
                the test says so";
    assert!(log.iter().any(|it| it == says), "{log:?}");
    let says = "tocsin asks bob to be the spokesperson";
    assert!(log.iter().any(|it| it == says), "{log:?}");

    answer(&mut world, Spokesperson, "bob", "yes");
    answer(&mut world, Shadow, "eve", "yes");
    world.run_until(45 * MINUTE);
    assert_eq!(asked(&world, Spokesperson), ["bob"]);
    assert_eq!(world.incident().roles.of(Spokesperson), Some(&"bob".into()));
    assert_eq!((chosen(&world), unfilled(&world, Spokesperson)), (1, 0));
}

#[test]
fn whoever_refuses_is_silent_or_cannot_be_asked_is_followed_by_the_next() {
    let mut world = opened(Grade::Major, &["bob", "cyd", "eve", "fay"], &[]);
    let mut cyd = world.reached("cyd");
    cyd.contacts.clear();
    world.people.push(cyd);
    acknowledge(&mut world, &ada());
    settle(&mut world);
    answer(&mut world, Spokesperson, "bob", "no");
    // Cyd cannot be asked, so eve is, at once.
    assert_eq!(asked(&world, Spokesperson), ["bob", "eve"]);
    let accepted = Command::PromptAccepted {
        prompt: world.incident().prompts.last,
        contact: 0,
        others: 0,
    };
    world.command(accepted, &Actor::Tocsin).unwrap();
    world.run_until(10 * MINUTE);
    assert_eq!(asked(&world, Spokesperson), ["bob", "eve", "fay"]);
    assert_eq!(unfilled(&world, Spokesperson), 0);
    // No channel takes the question to fay.
    world.run_until(20 * MINUTE);
    assert_eq!(unfilled(&world, Spokesperson), 1);
    assert_eq!(world.incident().roles.speaker(), Some(&"ada".into()));
    let declined = world.stream.iter().filter_map(|it| match &it.event {
        Event::RoleDeclined { person, why, .. } => Some((person.as_str(), *why)),
        _ => None,
    });
    let expected = [
        ("bob", Declined::Refused),
        ("cyd", Declined::Unreached),
        ("eve", Declined::Silent),
        ("fay", Declined::Unreached),
    ];
    assert_eq!(declined.collect::<Vec<_>>(), expected);
    let refused = &world.incident().roles.call.refused;
    assert_eq!(refused.iter().collect::<Vec<_>>(), [&PersonId::from("bob")]);
    let says = "nobody is left to ask to be the spokesperson; the operator goes on speaking";
    assert!(log(&world).iter().any(|it| it == says));
}

#[test]
fn a_question_that_no_channel_takes_goes_to_the_next_person() {
    let mut world = opened(Grade::Major, &["bob", "cyd"], &[]);
    let mut bob = world.reached("bob");
    bob.contacts.retain(|it| it.kind == "slack");
    world.people.push(bob);
    acknowledge(&mut world, &ada());
    settle(&mut world);
    let failed = Command::PromptFailed {
        prompt: world.incident().prompts.last,
        contact: 0,
        reason: "no such user".to_owned(),
    };
    world.command(failed, &Actor::Tocsin).unwrap();
    settle(&mut world);
    assert_eq!(asked(&world, Spokesperson), ["bob", "cyd"]);
}

#[test]
fn the_operator_is_spared_unless_the_incident_is_minor() {
    let people = ["ada", "bob"];
    let world = operated(Grade::Major, &people, &people);
    assert_eq!(asked(&world, Spokesperson), ["bob"]);
    assert_eq!(asked(&world, Shadow), ["bob"]);
    let world = operated(Grade::Minor, &people, &people);
    assert_eq!(asked(&world, Spokesperson), ["ada"]);
    assert_eq!(asked(&world, Shadow), ["bob"]);
}

#[test]
fn nobody_is_asked_for_a_role_that_somebody_has() {
    let mut world = opened(Grade::Critical, &["bob"], &["eve"]);
    hand_off(&mut world, Spokesperson, "cyd", "cyd");
    acknowledge(&mut world, &ada());
    settle(&mut world);
    assert_eq!(asked(&world, Spokesperson), [""; 0]);
    assert_eq!(asked(&world, Shadow), ["eve"]);
    // Once all are taken, the policy is not asked.
    answer(&mut world, Shadow, "eve", "yes");
    hand_off(&mut world, Role::Commander, "bob", "bob");
    hand_off(&mut world, Role::Operator, "fay", "fay");
    assert_eq!(chosen(&world), 1);
}

#[test]
fn whoever_takes_the_role_meanwhile_ends_the_search() {
    let mut world = operated(Grade::Major, &["bob", "cyd"], &[]);
    hand_off(&mut world, Spokesperson, "eve", "eve");
    world.run_until(45 * MINUTE);
    assert_eq!(asked(&world, Spokesperson), ["bob"]);
    assert_eq!(unfilled(&world, Spokesperson), 0);
}

#[test]
fn the_search_goes_on_when_somebody_else_was_asked_meanwhile_and_declines() {
    let mut world = operated(Grade::Major, &["bob", "cyd"], &[]);
    hand_off(&mut world, Spokesperson, "eve", "ada");
    assert_eq!(asked(&world, Spokesperson), ["bob", "eve"]);
    answer(&mut world, Spokesperson, "eve", "no");
    assert_eq!(asked(&world, Spokesperson), ["bob", "eve", "cyd"]);
    answer(&mut world, Spokesperson, "cyd", "no");
    assert_eq!(unfilled(&world, Spokesperson), 1);
    // A handoff of which the policy knows nothing ends without that line.
    hand_off(&mut world, Spokesperson, "fay", "ada");
    answer(&mut world, Spokesperson, "fay", "no");
    assert_eq!(unfilled(&world, Spokesperson), 1);
}

#[test]
fn a_grade_that_rises_asks_the_policy_again_and_one_that_falls_does_not() {
    let mut world = operated(Grade::Minor, &[], &[]);
    assert_eq!(asked(&world, Spokesperson), [""; 0]);
    let nobody = "nobody else is asked to take a role by test.rhai: the test says so";
    assert!(log(&world).iter().any(|it| it == nobody));
    world.response.spokesperson = vec!["ada".into(), "bob".into()];
    grade(&mut world, Grade::Major);
    assert_eq!(
        (chosen(&world), asked(&world, Spokesperson)),
        (2, vec!["bob"])
    );
    grade(&mut world, Grade::Minor);
    assert_eq!(chosen(&world), 2);
    // Bob still thinks about it when the next answer comes: he is not asked twice.
    grade(&mut world, Grade::Critical);
    assert_eq!(
        (chosen(&world), asked(&world, Spokesperson)),
        (3, vec!["bob"])
    );
    answer(&mut world, Spokesperson, "bob", "yes");
    assert_eq!(unfilled(&world, Spokesperson), 0);

    let mut nobodys = opened(Grade::Minor, &["bob"], &[]);
    grade(&mut nobodys, Grade::Major);
    assert_eq!(chosen(&nobodys), 0, "nobody operates");
}

#[test]
fn another_operator_has_others_asked() {
    let mut world = operated(Grade::Major, &["bob", "cyd"], &[]);
    answer(&mut world, Spokesperson, "bob", "no");
    world.response.spokesperson = vec!["cyd".into(), "fay".into()];
    hand_off(&mut world, Role::Operator, "eve", "eve");
    assert_eq!(asked(&world, Spokesperson), ["bob", "cyd"]);
    answer(&mut world, Spokesperson, "cyd", "no");
    assert_eq!(asked(&world, Spokesperson), ["bob", "cyd", "fay"]);
}

#[test]
fn an_incident_that_is_over_or_that_nobody_has_asks_nobody() {
    let asks = |it: &TimerKind| matches!(it, TimerKind::Respond | TimerKind::Offer { .. });
    let mut world = operated(Grade::Major, &["bob", "cyd"], &[]);
    world.resolve();
    assert_eq!(world.incident().roles.call, Default::default());
    grade(&mut world, Grade::Critical);
    assert!(!waits_for(&world, asks));

    let mut world = operated(Grade::Major, &["bob", "cyd"], &[]);
    let withdraw = Command::Unacknowledge { reason: None };
    world.command(withdraw, &ada()).unwrap();
    answer(&mut world, Spokesperson, "bob", "no");
    assert_eq!(asked(&world, Spokesperson), ["bob"]);
    assert_eq!(unfilled(&world, Spokesperson), 0);
    acknowledge(&mut world, &ada());
    settle(&mut world);
    assert_eq!(
        asked(&world, Spokesperson),
        ["bob", "bob"],
        "as the policy says"
    );
}

#[test]
fn an_answer_about_another_operator_or_grade_is_not_taken() {
    let mut world = opened(Grade::Major, &["bob"], &[]);
    acknowledge(&mut world, &ada());
    let due = world.incident().roles.call.ask_at.unwrap();
    let respond = |due, seen| Command::Respond {
        due,
        seen,
        verdict: Some(Box::new(verdict(Response::default()))),
    };
    for seen in [None, Some(due.plus_ms(1))] {
        let refused = world.command(respond(due, seen), &Actor::Tocsin);
        assert_eq!(refused.unwrap_err(), Refusal::NeedsVerdict);
    }
    let late = world.command(respond(due.plus_ms(1), Some(due)), &Actor::Tocsin);
    assert!(matches!(late, Err(Refusal::Stale(_))), "{late:?}");
}

#[test]
fn the_next_person_is_looked_up_when_they_are_asked() {
    let mut world = opened(Grade::Major, &["bob"], &[]);
    acknowledge(&mut world, &ada());
    let respond = world.timers().into_iter();
    let mut respond = respond.filter(|it| it.kind == TimerKind::Respond);
    world.fire_timer(&respond.next().unwrap()).unwrap();
    let offer = |due: Timestamp, to: Option<Named>| Command::OfferDue {
        role: Spokesperson,
        due,
        to,
    };
    let due = world.incident().roles.call.next_at;
    for to in [None, Some(world.named("cyd"))] {
        let refused = world.command(offer(due, to), &Actor::Tocsin);
        assert_eq!(refused.unwrap_err(), Refusal::OtherStep);
    }
    let bob = || Some(Named::of("bob".into()));
    let late = world.command(offer(due.plus_ms(1), bob()), &Actor::Tocsin);
    assert!(matches!(late, Err(Refusal::Stale(_))), "{late:?}");
    // He is no longer in the configuration.
    world.command(offer(due, bob()), &Actor::Tocsin).unwrap();
    assert_eq!(unfilled(&world, Spokesperson), 1);
}
