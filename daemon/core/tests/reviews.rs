//! Reviews during which alerts change.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod common;

use common::{World, signal};
use tocsin_core::command::{Command, Refusal};
use tocsin_core::standing::{Bounds, Watch};
use tocsin_core::{Actor, SignalStatus};

#[test]
fn a_review_that_began_before_an_alert_entered_begins_again() {
    let mut world = World::default();
    world.fire("A");
    let late = Command::Review(Box::new(world.asked_again()));
    world.watch = Watch {
        firing: Bounds { from: 0, below: 1 },
        ..Watch::default()
    };
    let mut other = signal("B", SignalStatus::Firing, world.now);
    other.labels.insert("severity".into(), "other".into());
    world.send(other).unwrap();
    let refused = world.command(late, &Actor::Tocsin).unwrap_err();
    assert!(matches!(refused, Refusal::NeedsVerdict), "{refused:?}");
    let standing = world.tally.standing.clone().unwrap();
    assert_eq!(standing.groups.len(), 2, "it would have been forgotten");
    assert_eq!(standing.watch.firing, Bounds { from: 0, below: 1 });
    let known = world.asked_again();
    let mut over = known.clone();
    over.groups[0].is_over = true;
    world.fire("A2");
    let refused = world.command(Command::Review(Box::new(over)), &Actor::Tocsin);
    assert!(refused.is_err(), "that group is not over");
    world
        .command(Command::Review(Box::new(known)), &Actor::Tocsin)
        .unwrap();
}

#[test]
fn a_review_ends_no_group_that_an_alert_has_come_to_say() {
    let mut world = World::default();
    world.fire("A");
    let mut other = signal("B", SignalStatus::Firing, world.now);
    other.labels.insert("severity".into(), "other".into());
    world.send(other).unwrap();
    world.end("A");
    let mut review = world.asked_again();
    review.groups[0].is_over = true;
    let like_a = signal("B", SignalStatus::Firing, world.now);
    world.send(like_a).unwrap();
    let refused = world.command(Command::Review(Box::new(review)), &Actor::Tocsin);
    assert!(matches!(refused, Err(Refusal::NeedsVerdict)), "{refused:?}");
}
