//! Pages, holds and lulls that overlap: nobody is forgotten, and nobody is rung twice for one
//! thing.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod common;

use common::{MINUTE, World, ada, people, person, plan_of, take_all};
use tocsin_core::command::{Command, Named, Refusal};
use tocsin_core::consequences::Notice;
use tocsin_core::incident::{Attempt, PageState};
use tocsin_core::{Actor, Contact, Event, Grade, Ladder, LadderRung, Ladders, Person};

const SECOND: u64 = 1_000;
const HOUR: u64 = 60 * MINUTE;

fn named(id: &str) -> Named {
    Named {
        person: Some(Box::new(person(id))),
        ..Named::of(id.into())
    }
}

fn acknowledge() -> Command {
    let via = "slack".to_owned();
    Command::Acknowledge { via }
}

fn accepted(page: u32, contact: u32) -> Command {
    Command::PageAccepted {
        page,
        contact,
        interrupted: false,
        others: 0,
    }
}

fn failed(page: u32, contact: u32) -> Command {
    Command::PageFailed {
        page,
        contact,
        reason: "the channel is down".to_owned(),
        outcome_unknown: false,
    }
}

/// The channels that were told to page somebody, in order.
fn rung_by<'a>(world: &'a World, who: &str) -> Vec<&'a str> {
    let pages = world.notices.iter().filter_map(|notice| match notice {
        Notice::Page {
            person, channel, ..
        } if person.as_str() == who => Some(channel.as_str()),
        _ => None,
    });
    pages.collect()
}

fn planned(steps: &[&[&str]]) -> World {
    let mut world = World {
        plan: Some(plan_of(steps)),
        ..World::default()
    };
    world.fire("A");
    world
}

/// Without an alert that fires for a while, as between two flaps.
fn lull(world: &mut World) {
    world.delays.resolve_after_ms = 100 * HOUR;
    world.end("A");
}

#[test]
fn a_page_that_is_seen_before_it_is_accepted_waits_for_an_answer() {
    let mut world = planned(&[&["ada"]]);
    let seen = Command::PageSeen {
        page: 1,
        contact: 0,
    };
    world.at(15 * SECOND).command(seen, &Actor::Tocsin).unwrap();
    let late = world.command(accepted(1, 0), &Actor::Tocsin);
    assert_eq!(late, Err(Refusal::Stale("the page")));
    let page = &world.incident().paging.pages[&1];
    assert_eq!(page.attempts[&0], Attempt::Seen);
    world.run_until(2 * MINUTE);
    assert_eq!(
        rung_by(&world, "ada"),
        ["slack"],
        "she may be looking at it"
    );
    world.run_until(2 * MINUTE + 15 * SECOND);
    assert_eq!(rung_by(&world, "ada"), ["slack", "mail"]);
}

#[test]
fn a_page_that_is_pressed_before_it_is_accepted_loses_its_button() {
    let mut world = planned(&[&["ada"]]);
    world.command(acknowledge(), &ada()).unwrap();
    let settled = |it: &&Notice| matches!(it, Notice::Settled { .. });
    assert_eq!(world.notices.iter().filter(settled).count(), 1);
    let late = world.command(accepted(1, 0), &Actor::Tocsin);
    assert_eq!(late, Err(Refusal::Stale("the page")));
}

#[test]
fn a_person_has_one_ladder_at_a_time() {
    let mut world = planned(&[&["ada"]]);
    world.command(accepted(1, 0), &Actor::Tocsin).unwrap();
    let to = named("ada");
    world.command(Command::Page { to }, &ada()).unwrap();
    assert_eq!(world.incident().paging.pages[&1].state, PageState::Accepted);
    world.command(accepted(2, 0), &Actor::Tocsin).unwrap();
    world.run_until(2 * MINUTE);
    assert_eq!(rung_by(&world, "ada"), ["slack", "slack", "mail"]);
}

#[test]
fn a_ladder_to_which_nothing_delivers_gives_way_to_every_contact() {
    let rung = LadderRung {
        kinds: vec!["phone".to_owned()],
        wait_ms: MINUTE,
    };
    let contact = |kind: &str| Contact {
        kind: kind.to_owned(),
        address: "1".to_owned(),
    };
    let ladder = Some(Ladder(vec![rung]));
    for (contacts, unserved) in [
        (vec![contact("slack")], vec![]),
        (vec![contact("phone"), contact("slack")], vec!["phone"]),
    ] {
        let ladders = Ladders {
            other: ladder.clone(),
            ..Ladders::default()
        };
        let mut world = World {
            plan: Some(plan_of(&[&["ada"]])),
            people: vec![Person {
                contacts,
                ladders,
                ..person("ada")
            }],
            unserved,
            ..World::default()
        };
        world.fire("A");
        world.run_until(0);
        assert_eq!(rung_by(&world, "ada"), ["slack"]);
    }
}

#[test]
fn a_lull_puts_off_what_an_unanswered_pass_has_to_wait_for_only_while_it_lasts() {
    let mut world = planned(&[&["ada"]]);
    take_all(&mut world);
    let to = named("bob");
    world.command(Command::Reassign { to }, &ada()).unwrap();
    take_all(&mut world);
    world.run_until(4 * MINUTE);
    lull(&mut world);
    world.run_until(20 * MINUTE);
    assert_eq!(people(&world), ["ada", "bob"], "nothing fires");
    world.fire("A");
    world.run_until(20 * MINUTE);
    assert_eq!(people(&world), ["ada", "bob", "ada"], "nobody has it");
}

#[test]
fn a_question_of_a_lull_is_urgent_once_something_fires_again() {
    let mut world = planned(&[&["ada"]]);
    take_all(&mut world);
    world.command(acknowledge(), &ada()).unwrap();
    lull(&mut world);
    world.run_until(4 * HOUR + 5 * MINUTE);
    let asked = |it: &Event| matches!(it, Event::Prompted { .. });
    assert_eq!(world.count(asked), 1);
    world.fire("A");
    world.run_until(4 * HOUR + 10 * MINUTE - 1);
    assert_eq!(people(&world), ["ada"], "she has ten minutes to answer");
    world.run_until(4 * HOUR + 10 * MINUTE);
    assert_eq!(people(&world), ["ada", "ada"]);
}

#[test]
fn a_new_plan_pages_nobody_else_while_somebody_is_asked_to_take_the_incident() {
    let mut world = planned(&[&["ada"], &["eve"]]);
    take_all(&mut world);
    let to = named("bob");
    world.command(Command::Reassign { to }, &ada()).unwrap();
    take_all(&mut world);
    world.plan = Some(plan_of(&[&["ada"], &["carol"]]));
    world.review().unwrap();
    world.run_until(4 * MINUTE);
    assert_eq!(people(&world), ["ada", "bob"]);
    world.grade = Some(Grade::Critical);
    world.fire("B");
    world.run_until(4 * MINUTE);
    assert_eq!(
        people(&world),
        ["ada", "bob", "ada"],
        "a rise does not wait"
    );
    world.run_until(8 * MINUTE);
    assert_eq!(people(&world), ["ada", "bob", "ada"], "and begins once");
}

#[test]
fn only_the_page_that_a_hold_waits_for_ends_it() {
    let mut world = planned(&[&["ada"]]);
    take_all(&mut world);
    let to = named("bob");
    world.command(Command::Reassign { to }, &ada()).unwrap();
    take_all(&mut world);
    let to = named("carol");
    world.command(Command::Page { to }, &ada()).unwrap();
    world.command(failed(3, 0), &Actor::Tocsin).unwrap();
    world.command(failed(3, 1), &Actor::Tocsin).unwrap();
    world.run_until(4 * MINUTE);
    assert_eq!(people(&world), ["ada", "bob", "carol"], "bob has time left");
}

#[test]
fn the_fallback_is_paged_although_an_earlier_step_was_accepted_and_not_answered() {
    let mut world = World {
        plan: Some(plan_of(&[&["ada"], &["bob"]])),
        fallback_people: vec!["carol"],
        ..World::default()
    };
    world.people = vec![Person {
        ladders: Ladders {
            other: Some(Ladder(vec![LadderRung {
                kinds: vec!["slack".to_owned(), "mail".to_owned()],
                wait_ms: HOUR,
            }])),
            ..Ladders::default()
        },
        ..person("ada")
    }];
    world.fire("A");
    world.command(accepted(1, 0), &Actor::Tocsin).unwrap();
    world.run_until(5 * MINUTE);
    world.command(failed(2, 0), &Actor::Tocsin).unwrap();
    world.command(failed(2, 1), &Actor::Tocsin).unwrap();
    world.run_until(5 * MINUTE);
    assert_eq!(people(&world), ["ada", "bob", "carol"]);
}

#[test]
fn an_acknowledgement_of_an_earlier_version_does_not_hold_for_ever() {
    let mut world = planned(&[&["ada"]]);
    take_all(&mut world);
    world.happened(Event::Acknowledged {
        via: "api".to_owned(),
        hold_until: None,
        approach_at: None,
    });
    world.run_until(4 * HOUR);
    assert_eq!(people(&world), ["ada", "ada"], "nobody can be asked");
}

#[test]
fn an_incident_that_turns_out_to_be_about_security_pages_whoever_has_it() {
    let mut world = planned(&[&["ada"]]);
    take_all(&mut world);
    world.command(acknowledge(), &ada()).unwrap();
    world.security = true;
    world.review().unwrap();
    world.run_until(0);
    assert_eq!(people(&world), ["ada", "ada"]);
}
