//! Ladders: by which contacts a person is reached, and what follows when nobody answers.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod common;

use std::collections::BTreeMap;

use common::{MINUTE, World, ada, people, person, plan_of};
use tocsin_core::command::{Command, Named, Refusal};
use tocsin_core::consequences::Notice;
use tocsin_core::incident::{Attempt, Page, PageState};
use tocsin_core::{Actor, Contact, Event, Grade, Ladder, LadderRung, Ladders, Person, narrate};

const SECOND: u64 = 1_000;

/// Ada, with a ladder for critical incidents: Slack and ntfy, after two minutes the phone, after
/// three more the mail relay.
fn ada_with_ladder() -> Person {
    let rung = |kinds: &[&str], minutes: u64| LadderRung {
        kinds: kinds.iter().map(|it| (*it).to_owned()).collect(),
        wait_ms: minutes * MINUTE,
    };
    let critical = Ladder(vec![
        rung(&["slack", "ntfy"], 2),
        rung(&["phone"], 3),
        rung(&["mail"], 2),
    ]);
    let contact = |kind: &str| Contact {
        kind: kind.to_owned(),
        address: format!("ada@{kind}"),
    };
    Person {
        contacts: ["slack", "ntfy", "phone", "mail"].map(contact).into(),
        ladders: Ladders {
            by_grade: BTreeMap::from([(Grade::Critical, critical)]),
            other: None,
        },
        ..person("ada")
    }
}

fn critical() -> World {
    let mut world = World {
        grade: Some(Grade::Critical),
        people: vec![ada_with_ladder()],
        plan: Some(plan_of(&[&["ada"]])),
        ..World::default()
    };
    world.plan.as_mut().unwrap().steps[0].wait_ms = 60 * MINUTE;
    world.fire("HighErrorRate");
    world
}

fn accepted(contact: u32) -> Command {
    Command::PageAccepted {
        page: 1,
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

/// The channels that were told to page, in order.
fn rung_by(world: &World) -> Vec<&str> {
    let pages = world.notices.iter().filter_map(|notice| match notice {
        Notice::Page { channel, .. } => Some(channel.as_str()),
        _ => None,
    });
    pages.collect()
}

fn page(world: &World) -> &Page {
    &world.incident().paging.pages[&1]
}

#[test]
fn what_a_channel_accepted_is_no_answer_and_the_next_rung_follows() {
    let mut world = critical();
    assert_eq!(rung_by(&world), ["slack", "ntfy"], "both at the same time");
    world
        .at(SECOND)
        .command(accepted(0), &Actor::Tocsin)
        .unwrap();
    world
        .at(2 * SECOND)
        .command(accepted(1), &Actor::Tocsin)
        .unwrap();
    world.run_until(2 * MINUTE);
    assert_eq!(
        rung_by(&world).len(),
        2,
        "two minutes from when the first channel took it"
    );
    world.run_until(2 * MINUTE + SECOND);
    assert_eq!(rung_by(&world)[2..], ["phone"]);
    let told = narrate(world.incident(), world.stream.last().unwrap());
    assert_eq!(told, "paged ada again by phone: no answer for 2m");
    world.command(accepted(2), &Actor::Tocsin).unwrap();
    world.run_until(5 * MINUTE + SECOND);
    assert_eq!(rung_by(&world)[3..], ["mail"]);
    world.command(accepted(3), &Actor::Tocsin).unwrap();
    assert_eq!(page(&world).state, PageState::Accepted);
}

#[test]
fn a_grade_without_a_ladder_tries_every_contact_in_order() {
    let mut world = World {
        people: vec![ada_with_ladder()],
        plan: Some(plan_of(&[&["ada"]])),
        ..World::default()
    };
    world.fire("HighErrorRate");
    assert_eq!(rung_by(&world), ["slack"]);
    world.command(accepted(0), &Actor::Tocsin).unwrap();
    world.run_until(2 * MINUTE);
    assert_eq!(rung_by(&world), ["slack", "ntfy"]);
}

#[test]
fn what_no_channel_of_a_rung_takes_goes_on_at_once() {
    let mut world = critical();
    world.command(failed(1, 0), &Actor::Tocsin).unwrap();
    assert_eq!(rung_by(&world).len(), 2, "ntfy may still take it");
    world.command(failed(1, 1), &Actor::Tocsin).unwrap();
    assert_eq!(rung_by(&world)[2..], ["phone"]);
    world.run_until(30 * SECOND);
    assert_eq!(
        rung_by(&world)[3..],
        ["mail"],
        "the phone took nothing for 30 s"
    );
}

#[test]
fn one_channel_that_fails_beside_one_that_took_it_changes_no_wait() {
    let mut world = critical();
    world.command(accepted(1), &Actor::Tocsin).unwrap();
    world.command(failed(1, 0), &Actor::Tocsin).unwrap();
    world.run_until(2 * MINUTE - 1);
    assert_eq!(rung_by(&world).len(), 2);
    world.run_until(2 * MINUTE);
    assert_eq!(rung_by(&world)[2..], ["phone"]);
}

#[test]
fn an_acknowledgement_stops_the_ladder_and_says_where_it_was_pressed() {
    let mut world = critical();
    world.command(accepted(0), &Actor::Tocsin).unwrap();
    world.command(accepted(1), &Actor::Tocsin).unwrap();
    world
        .command(
            Command::PageSeen {
                page: 1,
                contact: 0,
            },
            &Actor::Tocsin,
        )
        .unwrap();
    assert_eq!(page(&world).attempts[&0], Attempt::Seen);
    let via = "ntfy".to_owned();
    world.command(Command::Acknowledge { via }, &ada()).unwrap();
    assert_eq!(page(&world).attempts[&1], Attempt::Pressed);
    world.run_until(60 * MINUTE);
    assert_eq!(rung_by(&world).len(), 2);
    let settled = world.notices.iter().filter_map(|notice| match notice {
        Notice::Settled { channel, .. } => Some(channel.as_str()),
        _ => None,
    });
    assert_eq!(settled.collect::<Vec<_>>(), ["slack", "ntfy"]);
}

#[test]
fn whoever_answers_a_page_about_an_incident_of_another_person_is_paged_no_further() {
    let mut world = critical();
    let acknowledge = |via: &str| Command::Acknowledge {
        via: via.to_owned(),
    };
    world.command(acknowledge("ntfy"), &ada()).unwrap();
    let bob = person("bob");
    let (contacts, rungs) = bob.climb(Grade::Critical, |_| true);
    world.happened(Event::Paged {
        page: 2,
        person: bob.id,
        contacts,
        rungs,
        step: 0,
        next_contact_at: Some(world.now.plus_ms(30 * SECOND)),
        by_name: false,
    });
    let bob = Actor::Person("bob".into());
    let answered = world.command(acknowledge("slack"), &bob).unwrap();
    assert!(answered.reply.contains("operator: ada"), "{answered:?}");
    let page = &world.incident().paging.pages[&2];
    assert_eq!(page.state, PageState::Settled);
    assert_eq!(page.attempts[&0], Attempt::Pressed);
    let told = narrate(world.incident(), world.stream.last().unwrap());
    assert_eq!(told, "bob answered the page through slack");
    let again = world.command(acknowledge("slack"), &bob).unwrap();
    assert_eq!(again.events, []);
}

#[test]
fn a_person_who_is_paged_by_name_is_paged_whoever_has_the_incident() {
    let mut world = critical();
    let via = "slack".to_owned();
    world.command(Command::Acknowledge { via }, &ada()).unwrap();
    let page = |to: Named| Command::Page { to };
    let bob = || Named {
        person: Some(Box::new(person("bob"))),
        ..Named::of("bob".into())
    };
    let done = world.command(page(bob()), &ada()).unwrap();
    assert_eq!(done.reply, "bob is paged about incident 1");
    assert_eq!(people(&world), ["ada", "bob"]);
    world.run_until(30 * SECOND);
    assert_eq!(rung_by(&world)[3..], ["mail"], "by his ladder");
    world.command(page(bob()), &ada()).unwrap();
    assert_eq!(people(&world).len(), 3, "again, as there is news");
    let unreachable = Person {
        contacts: Vec::new(),
        ..person("eve")
    };
    let eve = Named {
        person: Some(Box::new(unreachable)),
        ..Named::of("eve".into())
    };
    for (to, why) in [
        (Named::of("nobody".into()), "there is no person `nobody`"),
        (eve, "`eve` has no contact that anything delivers to"),
    ] {
        let refused = world.command(page(to), &ada()).unwrap_err().to_string();
        assert!(refused.starts_with(why), "{refused}");
    }
    let reason = "rolled back".to_owned();
    world.command(Command::Resolve { reason }, &ada()).unwrap();
    let late = world.command(page(bob()), &ada());
    assert!(matches!(late, Err(Refusal::NotActive { .. })));
}

#[test]
fn an_attempt_of_unknown_outcome_rings_the_next_rung_at_once_and_is_still_asked_about() {
    let mut world = critical();
    let unknown = Command::PageOutcomeUnknown {
        page: 1,
        contact: 0,
    };
    world.command(unknown.clone(), &Actor::Tocsin).unwrap();
    assert_eq!(rung_by(&world).len(), 2, "ntfy may still take it");
    assert!(page(&world).is_wanted_at(1));
    world.command(failed(1, 1), &Actor::Tocsin).unwrap();
    assert_eq!(rung_by(&world)[2..], ["phone"]);
    assert!(
        page(&world).is_wanted_at(0),
        "its channel may still find out"
    );
    assert_eq!(
        world.command(unknown, &Actor::Tocsin),
        Err(Refusal::Stale("the page"))
    );
    world.command(accepted(0), &Actor::Tocsin).unwrap();
    assert_eq!(page(&world).attempts[&0], Attempt::Accepted);
    assert!(page(&world).is_underway(), "the phone rings all the same");
}

#[test]
fn an_attempt_that_its_channel_gives_up_is_asked_about_no_more() {
    let given_up = Command::PageFailed {
        page: 1,
        contact: 0,
        reason: "the channel is gone".to_owned(),
        outcome_unknown: true,
    };
    let mut world = World {
        plan: Some(plan_of(&[&["ada"]])),
        ..World::default()
    };
    world.fire("A");
    world.command(given_up, &Actor::Tocsin).unwrap();
    assert_eq!(rung_by(&world), ["slack", "mail"]);
    assert!(
        !page(&world).is_wanted_at(0),
        "nothing delivers it any more"
    );
}

#[test]
fn a_page_that_waits_to_be_bundled_waits_for_its_channels_from_then() {
    let mut world = critical();
    let leaves = world.now.plus_ms(40 * SECOND);
    world.held_until = Some(leaves);
    world.run_until(30 * SECOND);
    world.held_until = None;
    assert_eq!(rung_by(&world).len(), 2);
    let said =
        "the page to ada is held back for 10 s: messages to them are limited, see `pages-max`";
    let last = world.stream.last().unwrap();
    assert_eq!(narrate(world.incident(), last), said);
    world.run_until(70 * SECOND);
    assert_eq!(rung_by(&world)[2..], ["phone"]);
}

#[test]
fn when_nobody_of_a_step_can_be_reached_the_fallback_is_paged_once() {
    let mut world = World {
        plan: Some(plan_of(&[&["ada", "bob"], &["ada", "bob"]])),
        fallback_people: vec!["ada", "carol"],
        ..World::default()
    };
    world.fire("HighErrorRate");
    for page in [1, 2] {
        assert_eq!(people(&world).len(), 2, "bob may still be reached");
        world.command(failed(page, 0), &Actor::Tocsin).unwrap();
        world.command(failed(page, 1), &Actor::Tocsin).unwrap();
    }
    world.run_until(0);
    assert_eq!(people(&world), ["ada", "bob", "carol"]);
    assert!(world.count(|it| matches!(it, Event::FallbackPaged { .. })) == 1);
    world.command(failed(3, 0), &Actor::Tocsin).unwrap();
    world.command(failed(3, 1), &Actor::Tocsin).unwrap();
    world.run_until(4 * MINUTE);
    assert_eq!(people(&world).len(), 3, "everybody was tried");
    world.run_until(5 * MINUTE);
    assert_eq!(
        people(&world)[3..],
        ["ada", "bob"],
        "the next step tries again"
    );
}

#[test]
fn the_fallback_is_not_paged_once_somebody_acknowledged() {
    let mut world = World {
        plan: Some(plan_of(&[&["ada"]])),
        fallback_people: vec!["carol"],
        ..World::default()
    };
    world.fire("HighErrorRate");
    let via = "api".to_owned();
    world.command(failed(1, 0), &Actor::Tocsin).unwrap();
    world.command(failed(1, 1), &Actor::Tocsin).unwrap();
    world.command(Command::Acknowledge { via }, &ada()).unwrap();
    world.run_until(10 * MINUTE);
    assert_eq!(people(&world), ["ada"]);
}

#[test]
fn a_page_nobody_accepted_is_still_delivered_when_its_last_channel_works_again() {
    let mut world = critical();
    world.run_until(90 * SECOND);
    assert_eq!(page(&world).state, PageState::Exhausted);
    assert!(page(&world).is_wanted_at(3));
    world.command(accepted(3), &Actor::Tocsin).unwrap();
    assert_eq!(page(&world).state, PageState::Accepted);
}

#[test]
fn a_ladder_leaves_out_rungs_of_which_the_person_has_no_contact() {
    let only_mail = Person {
        contacts: vec![Contact {
            kind: "mail".to_owned(),
            address: "ada@mail".to_owned(),
        }],
        ..ada_with_ladder()
    };
    let (contacts, rungs) = only_mail.climb(Grade::Critical, |_| true);
    assert_eq!((contacts.len(), rungs.len()), (1, 1));
    let none = Person {
        contacts: Vec::new(),
        ..only_mail
    };
    let mut world = World {
        grade: Some(Grade::Critical),
        people: vec![none],
        plan: Some(plan_of(&[&["ada"]])),
        ..World::default()
    };
    world.fire("HighErrorRate");
    assert_eq!(page(&world).state, PageState::Exhausted);
}

#[test]
fn the_mail_relay_takes_the_place_of_mail_contacts_or_stands_last() {
    let mut ladders = ada_with_ladder().ladders;
    ladders.end_with("phone", "mail");
    let critical = &ladders.by_grade[&Grade::Critical];
    let kinds: Vec<_> = critical.0.iter().map(|it| it.kinds.join("+")).collect();
    assert_eq!(kinds, ["slack+ntfy", "mail", "mail"]);
    let mut ladders = ada_with_ladder().ladders;
    ladders.end_with("email", "relay");
    assert_eq!(ladders.by_grade[&Grade::Critical].0[3].kinds, ["relay"]);
}

#[test]
fn an_answer_proves_the_only_contact_of_its_kind_that_was_reached() {
    let mut world = critical();
    world.command(accepted(0), &Actor::Tocsin).unwrap();
    let at = |world: &World, who: &str, via| {
        let found = world.incident().paging.answered_at(&who.into(), via);
        found.map(|it| it.address.clone())
    };
    assert_eq!(at(&world, "ada", "slack").as_deref(), Some("ada@slack"));
    assert_eq!(at(&world, "ada", "ntfy"), None, "it did not accept it");
    assert_eq!(at(&world, "bob", "slack"), None);
    let second = Contact {
        kind: "slack".to_owned(),
        address: "another".to_owned(),
    };
    let mut person = ada_with_ladder();
    person.contacts.push(second);
    let mut world = World {
        grade: Some(Grade::Critical),
        people: vec![person],
        plan: Some(plan_of(&[&["ada"]])),
        ..World::default()
    };
    world.fire("HighErrorRate");
    for contact in [0, 2] {
        world.command(accepted(contact), &Actor::Tocsin).unwrap();
    }
    assert_eq!(
        at(&world, "ada", "slack"),
        None,
        "either may have been used"
    );
}
