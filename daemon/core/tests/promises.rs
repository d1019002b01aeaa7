//! Updates to audiences, and the promises that they make.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod common;

use common::{MINUTE, World, ada, verdict};
use tocsin_core::command::{Command, Named, Refusal};
use tocsin_core::incident::PromptState;
use tocsin_core::{
    Actor, Audience, Cadence, Event, Grade, PersonId, PolicySource, PromiseOutcome, PromiseStage,
    Question, Role, Timestamp, Verdict, narrate,
};

/// A major incident that ada operates and of which bob is the spokesperson.
fn spoken_for() -> World {
    let mut world = World::default();
    world.fire("A");
    let via = "api".to_owned();
    world.command(Command::Acknowledge { via }, &ada()).unwrap();
    let to = Named {
        id: "bob".into(),
        person: Some(Box::new(world.reached("bob"))),
    };
    let role = Some(Role::Spokesperson);
    let via = "api".to_owned();
    world
        .command(Command::HandOff { role, to, via }, &bob())
        .unwrap();
    world
}

fn bob() -> Actor {
    Actor::Person("bob".into())
}

fn update(next_minutes: Option<u64>) -> Command {
    update_by(next_minutes, verdict(Cadence::usual(Grade::Major)))
}

fn update_by(next_minutes: Option<u64>, cadence: Verdict<Cadence>) -> Command {
    Command::Update {
        audience: Audience::Company,
        body: "We roll back.".to_owned(),
        next_ms: next_minutes.map(|it| it * MINUTE),
        cadence: Some(Box::new(cadence)),
    }
}

/// What became of each promise.
fn outcomes(world: &World) -> Vec<PromiseOutcome> {
    let settled = world.stream.iter().filter_map(|it| match &it.event {
        Event::PromiseSettled { outcome, .. } => Some(*outcome),
        _ => None,
    });
    settled.collect()
}

/// Who was asked for an update, and how long after the start in minutes.
fn asked(world: &World, from: Timestamp) -> Vec<(String, u64)> {
    let asked = world.stream.iter().filter_map(|it| match &it.event {
        Event::Prompted { to, question, .. } => {
            assert_eq!(*question, Question::UpdateDue(Audience::Company));
            Some((to.to_string(), it.at.since(from) / MINUTE))
        }
        _ => None,
    });
    asked.collect()
}

fn resolve(world: &mut World) {
    let reason = "it works again".to_owned();
    world.command(Command::Resolve { reason }, &ada()).unwrap();
}

fn refused(answer: Result<impl std::fmt::Debug, Refusal>) -> String {
    answer.unwrap_err().to_string()
}

#[test]
fn only_who_speaks_for_the_incident_sends_updates() {
    let mut world = World::default();
    world.fire("A");
    let nobody = refused(world.command(update(None), &ada()));
    assert!(nobody.contains("`handoff spokesperson ada`"), "{nobody}");
    let via = "api".to_owned();
    world.command(Command::Acknowledge { via }, &ada()).unwrap();
    world.command(update(Some(30)), &ada()).unwrap();
    assert!(refused(world.command(update(None), &bob())).contains("only ada, the operator"));

    let mut world = spoken_for();
    world.command(update(Some(30)), &bob()).unwrap();
    let operator = refused(world.command(update(Some(30)), &ada()));
    assert!(
        operator.contains("only bob, the spokesperson"),
        "{operator}"
    );
    let token = Actor::Token("ci".to_owned());
    assert!(refused(world.command(update(Some(30)), &token)).contains("only bob"));
}

#[test]
fn every_update_says_when_the_next_one_comes() {
    let mut world = spoken_for();
    world.command(update(Some(30)), &bob()).unwrap();
    for minutes in [0, 4, 7 * 24 * 60 + 1] {
        let wrong = refused(world.command(update(Some(minutes)), &bob()));
        assert!(wrong.contains("5m to 7d"), "{wrong}");
    }
    resolve(&mut world);
    world.command(update(None), &bob()).unwrap();
    assert!(world.incident().promises.open.is_empty(), "it is over");
    assert_eq!(outcomes(&world), [PromiseOutcome::Kept]);
}

#[test]
fn an_update_without_a_time_promises_the_policys_and_says_why() {
    let mut world = spoken_for();
    let reply = world.command(update(None), &bob()).unwrap().reply;
    let says = "due in 1h, as the policy says: the test says so (`next 30m` at the end";
    assert!(reply.contains(says), "{reply}");
    let promise = world.incident().promises.open[&Audience::Company];
    assert_eq!(promise.due, world.now.plus_ms(60 * MINUTE));
    let told = world.stream.last().unwrap();
    assert_eq!(
        narrate(world.incident(), told),
        "bob told company (next in 1h by test.rhai: the test says so): We roll back."
    );
    let Event::UpdatePosted { source, .. } = &told.event else {
        panic!("{told:?}");
    };
    assert_eq!(*source, Some(verdict(()).source));

    let said = world.command(update(Some(30)), &bob()).unwrap().reply;
    assert!(!said.contains("policy"), "{said}");

    let mut builtin = verdict(Cadence::usual(Grade::Major));
    builtin.source.file = PolicySource::BUILTIN.to_owned();
    builtin.source.fallback = Some("communication.rhai:3: oh no\nmore".to_owned());
    let reply = world.command(update_by(None, builtin), &bob());
    let reply = reply.unwrap().reply;
    assert!(reply.contains("due in 1h: the test says so"), "{reply}");
    let told = narrate(world.incident(), world.stream.last().unwrap());
    let says = "(next in 1h: the test says so: communication.rhai:3: oh no): We";
    assert!(told.contains(says), "{told}");
}

#[test]
fn the_reason_for_the_next_update_of_a_security_incident_stays_in_the_log() {
    let mut world = spoken_for();
    let grade = Command::Grade {
        grade: Grade::Major,
        security: Some(true),
        may_declassify: false,
        reason: "it leaks".to_owned(),
        replan: None,
    };
    world.command(grade, &ada()).unwrap();
    let reply = world.command(update(None), &bob()).unwrap().reply;
    assert!(
        reply.contains("due in 1h, as the policy says (`"),
        "{reply}"
    );
}

#[test]
fn an_audience_that_the_policy_leaves_out_must_be_told_when_it_hears_more() {
    let mut world = spoken_for();
    let silent = || verdict(Cadence::default());
    let why = refused(world.command(update_by(None, silent()), &bob()));
    assert!(
        why.contains("test.rhai does not say when company hears more"),
        "{why}"
    );
    assert!(why.contains("`next 30m`"), "{why}");
    world
        .command(update_by(Some(30), silent()), &bob())
        .unwrap();
    // The last update of an incident that is over promises no other.
    resolve(&mut world);
    world.command(update_by(None, silent()), &bob()).unwrap();
    assert!(world.incident().promises.open.is_empty());
}

#[test]
fn nothing_new_promises_the_next_update_for_as_long_as_before() {
    let mut world = spoken_for();
    world.command(update(None), &bob()).unwrap();
    world.run_until(56 * MINUTE);
    let prompt = world.incident().prompts.last;
    let answer = Command::Answer {
        prompt,
        choice: "nothing-new".to_owned(),
        via: "slack".to_owned(),
        replan: None,
        to: None,
    };
    world.command(answer, &bob()).unwrap();
    let promise = world.incident().promises.open[&Audience::Company];
    assert_eq!(promise.due, world.now.plus_ms(60 * MINUTE));
}

#[test]
fn nobody_says_with_a_press_that_there_is_nothing_new_of_what_is_resolved() {
    let mut world = spoken_for();
    world.command(update(None), &bob()).unwrap();
    world.run_until(56 * MINUTE);
    let prompt = world.incident().prompts.last;
    world.resolve();
    let answer = Command::Answer {
        prompt,
        choice: "nothing-new".to_owned(),
        via: "slack".to_owned(),
        replan: None,
        to: None,
    };
    let why = world.command(answer, &bob()).unwrap_err().to_string();
    assert!(
        why.contains("is resolved, so there is news: `update company TEXT`"),
        "{why}"
    );
}

#[test]
fn a_promise_reminds_before_it_is_due_then_and_when_it_breaks_the_operator() {
    let mut world = spoken_for();
    world.command(update(Some(30)), &bob()).unwrap();
    let from = world.now;
    let at = |minute: u64, who: &str| (who.to_owned(), minute);
    world.run_until(25 * MINUTE);
    assert_eq!(asked(&world, from), [at(25, "bob")]);
    world.run_until(30 * MINUTE);
    assert_eq!(asked(&world, from)[1..], [at(30, "bob")]);
    world.run_until(35 * MINUTE);
    assert_eq!(asked(&world, from)[2..], [at(35, "ada")]);
    assert_eq!(outcomes(&world), [PromiseOutcome::Broken]);
    world.run_until(50 * MINUTE);
    assert_eq!(asked(&world, from).len(), 3, "then nobody is asked again");
    let promise = world.incident().promises.open[&Audience::Company];
    assert_eq!(
        promise.stage,
        PromiseStage::Broken,
        "it shows until an update"
    );
    world.command(update(Some(30)), &bob()).unwrap();
    assert_eq!(outcomes(&world), [PromiseOutcome::Broken], "it counts once");
}

#[test]
fn a_short_promise_reminds_once_two_thirds_are_over() {
    let mut world = spoken_for();
    world.command(update(Some(6)), &bob()).unwrap();
    let from = world.now;
    world.run_until(4 * MINUTE);
    assert_eq!(asked(&world, from), [("bob".to_owned(), 4)]);
}

#[test]
fn an_update_in_time_keeps_a_promise_and_one_shortly_after_is_late() {
    let mut world = spoken_for();
    world.command(update(Some(30)), &bob()).unwrap();
    world.run_until(26 * MINUTE);
    world.command(update(Some(30)), &bob()).unwrap();
    let questions = world.incident().prompts.all.values();
    let open = questions.filter(|it| it.state == PromptState::Open);
    assert_eq!(open.count(), 0, "the question needs no answer any more");
    world.run_until(58 * MINUTE);
    world.command(update(Some(30)), &bob()).unwrap();
    assert_eq!(
        outcomes(&world),
        [PromiseOutcome::Kept, PromiseOutcome::Late]
    );
}

#[test]
fn one_press_says_that_there_is_nothing_new_and_promises_as_long_again() {
    let mut world = spoken_for();
    world.command(update(Some(20)), &bob()).unwrap();
    world.run_until(15 * MINUTE);
    let answer = Command::Answer {
        prompt: world.incident().prompts.last,
        choice: "nothing-new".to_owned(),
        via: "slack".to_owned(),
        replan: None,
        to: None,
    };
    assert!(refused(world.command(answer.clone(), &ada())).contains("only bob"));
    world.command(answer, &bob()).unwrap();
    let promise = world.incident().promises.open[&Audience::Company];
    assert_eq!(promise.due, world.now.plus_ms(20 * MINUTE));
    assert_eq!(outcomes(&world), [PromiseOutcome::Kept]);
}

#[test]
fn whoever_is_asked_about_a_broken_promise_may_answer() {
    let mut world = spoken_for();
    world.command(update(Some(30)), &bob()).unwrap();
    let from = world.now;
    world.run_until(35 * MINUTE);
    assert_eq!(asked(&world, from).last(), Some(&("ada".to_owned(), 35)));
    let company = update(Some(30));
    let Command::Update { body, .. } = company.clone() else {
        unreachable!()
    };
    let public = Command::Update {
        audience: Audience::Public,
        body,
        next_ms: Some(30 * MINUTE),
        cadence: None,
    };
    assert!(refused(world.command(public, &ada())).contains("only bob"));
    world.command(company, &ada()).unwrap();
    // From then on it is Bob's again.
    assert!(refused(world.command(update(Some(30)), &ada())).contains("only bob"));
}

#[test]
fn after_a_long_downtime_a_promise_is_broken_once_and_nobody_is_reminded_of_the_past() {
    let mut world = spoken_for();
    world.command(update(Some(30)), &bob()).unwrap();
    let from = world.now;
    let timer = world.timers().into_iter().find(|it| {
        let kind = format!("{:?}", it.kind);
        kind.contains("Promise")
    });
    world.now = from.plus_ms(180 * MINUTE);
    world.fire_timer(&timer.unwrap()).unwrap();
    assert_eq!(asked(&world, from), [("ada".to_owned(), 180)]);
    assert_eq!(outcomes(&world), [PromiseOutcome::Broken]);
}

#[test]
fn whoever_became_the_spokesperson_meanwhile_is_looked_up_again() {
    let mut world = spoken_for();
    world.command(update(Some(30)), &bob()).unwrap();
    let due = world.incident().promises.open[&Audience::Company].next();
    world.now = due.unwrap();
    let people = vec![Named::of(PersonId::from("carol"))];
    let (audience, due) = (Audience::Company, due.unwrap());
    let command = Command::PromiseDue {
        audience,
        due,
        people,
    };
    let answer = world.command(command, &Actor::Tocsin);
    assert_eq!(answer.unwrap_err(), Refusal::OtherStep);
}

#[test]
fn an_incident_that_is_over_still_owes_its_last_update_until_it_is_closed() {
    let mut world = spoken_for();
    world.command(update(Some(30)), &bob()).unwrap();
    world.end("A");
    resolve(&mut world);
    let from = world.now;
    world.run_until(60 * MINUTE);
    assert_eq!(outcomes(&world), [PromiseOutcome::Broken]);
    assert_eq!(asked(&world, from).len(), 3);
    world.command(Command::Close, &ada()).unwrap();
    assert!(world.incident().promises.open.is_empty());
    assert!(refused(world.command(update(None), &bob())).contains("nobody waits"));
}
