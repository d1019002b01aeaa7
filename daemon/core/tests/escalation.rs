//! Escalation: who is paged, when, and what stops it.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod common;

use common::{MINUTE, World, ada, assert_only_the_hold_is_left, opens, people, plan, take_all};
use tocsin_core::command::{Command, Refusal};
use tocsin_core::consequences::Notice;
use tocsin_core::incident::PageState;
use tocsin_core::{Actor, Event, Status, narrate};

#[test]
fn the_first_step_is_taken_in_the_batch_that_opens_the_incident() {
    let mut world = World::default();
    let intake = world.fire("HighErrorRate");
    assert!(opens(&intake));
    assert_eq!(people(&world), ["ada"]);
    let is_page = |it: &&Notice| matches!(it, Notice::Page { channel, .. } if channel == "slack");
    assert_eq!(world.notices.iter().filter(is_page).count(), 1);
}

#[test]
fn a_page_skips_contacts_that_nothing_delivers_to() {
    let mut world = World {
        unserved: vec!["slack"],
        ..World::default()
    };
    world.fire("HighErrorRate");
    let page = &world.incident().paging.pages[&1];
    assert_eq!(page.current().unwrap().kind, "mail");
    let redirect = world.stream.last().unwrap();
    assert!(matches!(redirect.event, Event::PageRedirected { .. }));
    assert_eq!(redirect.by, Actor::Tocsin);
    let channels = world.notices.iter().filter_map(|notice| match notice {
        Notice::Page { channel, .. } => Some(channel.as_str()),
        _ => None,
    });
    assert_eq!(channels.collect::<Vec<_>>(), ["mail"]);
    world.unserved = vec!["slack", "mail"];
    world.run_until(5 * MINUTE);
    let pages = world.incident().paging.pages.values();
    let exhausted = pages.filter(|it| it.is_exhausted()).count();
    assert_eq!(
        exhausted, 3,
        "nobody took ada's page, and nobody takes the next ones"
    );
}

#[test]
fn the_last_step_repeats_until_someone_acknowledges() {
    let mut world = World::default();
    world.fire("HighErrorRate");
    for minute in 1..=16 {
        take_all(&mut world);
        world.run_until(minute * MINUTE);
    }
    assert_eq!(
        people(&world),
        ["ada", "ada", "bob", "ada", "bob", "ada", "bob"],
        "ada at 0, both at 5, 10 and 15 minutes"
    );
    world
        .command(
            Command::Acknowledge {
                via: "slack".to_owned(),
            },
            &ada(),
        )
        .unwrap();
    world.run_until(60 * MINUTE);
    assert_eq!(
        people(&world).len(),
        7,
        "nobody is paged after the acknowledgement"
    );
    assert_only_the_hold_is_left(&world);
}

#[test]
fn the_first_to_acknowledge_is_the_operator_and_a_second_changes_nothing() {
    let mut world = World::default();
    world.fire("HighErrorRate");
    let command = Command::Acknowledge {
        via: "slack".to_owned(),
    };
    let first = world.command(command.clone(), &ada()).unwrap();
    assert!(
        first.reply.contains("you are the operator"),
        "{}",
        first.reply
    );
    let second = world
        .command(command, &Actor::Person("bob".into()))
        .unwrap();
    assert!(second.events.is_empty());
    assert!(second.reply.contains("operator: ada"), "{}", second.reply);
    assert_eq!(world.incident().roles.operator, Some("ada".into()));
}

#[test]
fn a_page_that_no_channel_accepts_goes_to_the_next_contact_after_its_wait() {
    let mut world = World::default();
    world.fire("HighErrorRate");
    world.run_until(29_999);
    assert_eq!(world.incident().paging.pages[&1].contact, 0);
    world.run_until(30_000);
    assert_eq!(world.incident().paging.pages[&1].contact, 1);
    let mail = |it: &&Notice| matches!(it, Notice::Page { channel, .. } if channel == "mail");
    assert_eq!(world.notices.iter().filter(mail).count(), 1);
}

#[test]
fn a_page_that_a_channel_rejects_goes_to_the_next_contact_at_once() {
    let mut world = World::default();
    world.fire("HighErrorRate");
    let failed = Command::PageFailed {
        page: 1,
        contact: 0,
        reason: "channel_not_found".to_owned(),
        outcome_unknown: false,
    };
    world.command(failed.clone(), &Actor::Tocsin).unwrap();
    assert_eq!(world.incident().paging.pages[&1].contact, 1);
    assert_eq!(
        world.command(failed, &Actor::Tocsin),
        Err(Refusal::Stale("the page")),
        "a late second response from the same channel changes nothing"
    );
}

#[test]
fn a_person_whose_page_is_still_in_progress_is_not_paged_again() {
    let mut world = World::default();
    let mut plan = plan();
    plan.steps[0].wait_ms = MINUTE;
    world.plan = Some(plan);
    world.fire("HighErrorRate");
    take_all(&mut world);
    world.run_until(MINUTE);
    assert_eq!(
        people(&world),
        ["ada", "bob"],
        "ada's first page is still in progress"
    );
}

#[test]
fn after_downtime_one_step_fires_and_the_waits_are_rebased() {
    let mut world = World::default();
    world.fire("HighErrorRate");
    take_all(&mut world);
    world.at(47 * MINUTE);
    for due in world.timers() {
        world.fire_timer(&due).unwrap();
    }
    assert_eq!(people(&world), ["ada", "ada", "bob"], "one step, not nine");
    assert_eq!(
        world.incident().escalation.due.unwrap().0,
        (52 * MINUTE) as i64
    );
}

#[test]
fn a_timer_that_fires_twice_or_too_early_takes_no_step() {
    let mut world = World::default();
    world.fire("HighErrorRate");
    let timer = world
        .timers()
        .into_iter()
        .find(|it| it.kind == tocsin_core::consequences::TimerKind::Escalation)
        .unwrap();
    world.at(MINUTE);
    assert_eq!(
        world.fire_timer(&timer),
        Err(Refusal::Stale("the escalation")),
        "too early"
    );
    world.at(5 * MINUTE);
    world.fire_timer(&timer).unwrap();
    assert_eq!(
        world.fire_timer(&timer),
        Err(Refusal::Stale("the escalation")),
        "twice"
    );
}

#[test]
fn a_step_pages_only_people_who_were_looked_up_for_it() {
    let mut world = World::default();
    world.fire("HighErrorRate");
    let (escalation, paged) = (world.incident().escalation.clone(), people(&world));
    world.at(5 * MINUTE);
    let due = |place: usize| Command::EscalationDue {
        due: escalation.due.unwrap(),
        steps: vec![(
            escalation.plan.steps[place].clone(),
            world.responders(u32::try_from(place).unwrap()),
        )],
    };
    let (first, second) = (due(0), due(1));
    let refused = world.command(first, &Actor::Tocsin);
    assert_eq!(refused, Err(Refusal::OtherStep));
    assert_eq!(people(&world), paged);
    world.command(second, &Actor::Tocsin).unwrap();
    assert!(people(&world).len() > paged.len());
}

#[test]
fn a_page_accepted_after_it_was_settled_has_its_buttons_removed() {
    let mut world = World::default();
    world.fire("HighErrorRate");
    world
        .command(
            Command::Acknowledge {
                via: "mail".to_owned(),
            },
            &ada(),
        )
        .unwrap();
    assert_eq!(world.incident().paging.pages[&1].state, PageState::Settled);
    let before = world.notices.len();
    world
        .command(
            Command::PageAccepted {
                page: 1,
                contact: 0,
                interrupted: false,
                others: 0,
            },
            &Actor::Tocsin,
        )
        .unwrap();
    assert!(matches!(
        world.notices[before..],
        [Notice::Settled { page: 1, .. }]
    ));
}

#[test]
fn a_resolved_incident_needs_no_timer_and_rejects_an_acknowledgement() {
    let mut world = World::default();
    world.fire("HighErrorRate");
    world.end("HighErrorRate");
    world
        .command(
            Command::Resolve {
                reason: "rolled back".to_owned(),
            },
            &ada(),
        )
        .unwrap();
    assert_eq!(world.incident().lifecycle.status, Status::Resolved);
    assert!(world.timers().is_empty());
    let late = world.command(
        Command::Acknowledge {
            via: "slack".to_owned(),
        },
        &ada(),
    );
    assert!(matches!(late, Err(Refusal::NotActive { .. })));
    assert_eq!(
        world.count(|it| matches!(it, Event::Acknowledged { .. })),
        0
    );
}

#[test]
fn a_contact_whose_wait_passed_while_the_daemon_was_down_gets_a_new_wait() {
    let mut world = World::default();
    world.fire("HighErrorRate");
    let timer = world.timers().into_iter().next().unwrap();
    world.at(10 * MINUTE);
    world.fire_timer(&timer).unwrap();
    assert_eq!(
        world.incident().paging.pages[&1].contact,
        0,
        "slack is tried before mail"
    );
    world.run_until(10 * MINUTE + 30_000);
    assert_eq!(world.incident().paging.pages[&1].contact, 1);
}

#[test]
fn after_a_reopening_the_next_to_acknowledge_is_the_operator() {
    let mut world = World::default();
    world.fire("A");
    world
        .command(
            Command::Acknowledge {
                via: "slack".to_owned(),
            },
            &ada(),
        )
        .unwrap();
    world.end("A");
    world.resolve();
    world.run_until(2 * MINUTE);
    world.fire("A");
    assert_eq!(world.incident().roles.operator, None);
    let bob = Actor::Person("bob".into());
    world
        .command(
            Command::Acknowledge {
                via: "slack".to_owned(),
            },
            &bob,
        )
        .unwrap();
    assert_eq!(world.incident().roles.operator, Some("bob".into()));
}

#[test]
fn a_page_whose_earlier_attempt_was_interrupted_says_so_in_the_log() {
    for (interrupted, says) in [(true, true), (false, false)] {
        let mut world = World::default();
        world.fire("HighErrorRate");
        let accepted = Command::PageAccepted {
            page: 1,
            contact: 0,
            interrupted,
            others: 0,
        };
        world.command(accepted, &Actor::Tocsin).unwrap();
        let told = narrate(world.incident(), world.stream.last().unwrap());
        assert_eq!(
            told.contains("an earlier attempt was interrupted"),
            says,
            "{told}"
        );
    }
}

#[test]
fn a_page_that_may_have_arrived_at_a_contact_says_so_once_whatever_its_fate() {
    let unknown = |contact| Command::PageOutcomeUnknown { page: 1, contact };
    let accepted = |contact| Command::PageAccepted {
        page: 1,
        contact,
        interrupted: false,
        others: 0,
    };
    let mut world = World::default();
    world.fire("HighErrorRate");
    world.run_until(30_000);
    world.command(accepted(1), &Actor::Tocsin).unwrap();
    world.command(unknown(0), &Actor::Tocsin).unwrap();
    assert_eq!(
        narrate(world.incident(), world.stream.last().unwrap()),
        "the outcome of the page to ada by slack is unknown; it may have arrived"
    );
    assert_eq!(world.incident().paging.pages[&1].state, PageState::Accepted);
    for repeated in [unknown(0), unknown(1)] {
        assert_eq!(
            world.command(repeated, &Actor::Tocsin),
            Err(Refusal::Stale("the page")),
            "logged before, or known by now: that contact accepted it"
        );
    }
}

#[test]
fn a_page_that_fails_after_an_attempt_with_unknown_outcome_logs_both() {
    let failed = Command::PageFailed {
        page: 1,
        contact: 0,
        reason: "channel_not_found".to_owned(),
        outcome_unknown: true,
    };
    let mut world = World::default();
    world.fire("HighErrorRate");
    let outcome = world.command(failed.clone(), &Actor::Tocsin).unwrap();
    assert!(matches!(
        outcome.events[..],
        [
            Event::PageOutcomeUnknown {
                page: 1,
                contact: 0
            },
            Event::PageRedirected {
                page: 1,
                contact: 1,
                ..
            }
        ]
    ));
    let mut world = World::default();
    world.fire("HighErrorRate");
    let ack = Command::Acknowledge {
        via: "api".to_owned(),
    };
    world.command(ack, &ada()).unwrap();
    let outcome = world.command(failed, &Actor::Tocsin).unwrap();
    assert!(
        matches!(outcome.events[..], [Event::PageOutcomeUnknown { .. }]),
        "nobody needs the page any more, but it may still be in the channel"
    );
}
