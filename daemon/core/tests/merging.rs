//! Merging an incident into another.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod common;

use std::sync::Arc;

use common::{MINUTE, World, ada};
use tocsin_core::command::{Command, Merge, Outcome, Refusal};
use tocsin_core::event::Effect;
use tocsin_core::incident::{Incident, MergedInto, absorbed, keys_of};
use tocsin_core::intake::{Known, Needed, needed};
use tocsin_core::{Actor, Event, IncidentKey, Labels, Recorded, SignalStatus, Status, narrate};

/// An open incident with one firing alert, `A`.
fn world() -> World {
    let mut world = World::default();
    world.at(MINUTE).fire("A");
    world
}

/// Another open incident.
fn target(change: impl FnOnce(&mut Incident)) -> Option<Arc<Incident>> {
    let mut other = world().incident().clone();
    other.id = "other".into();
    other.number = 42;
    other.about.key = IncidentKey("other".to_owned());
    change(&mut other);
    Some(Arc::new(other))
}

fn merge(world: &mut World, target: Option<Arc<Incident>>, by: &Actor) -> Result<Outcome, Refusal> {
    let merge = Merge {
        into: 42,
        may_see: false,
        reason: "one cause".to_owned(),
        target,
    };
    world.command(Command::Merge(Box::new(merge)), by)
}

#[test]
fn a_merged_incident_is_over_and_says_where_it_went() {
    let mut world = world();
    let outcome = merge(&mut world, target(|_| {}), &ada()).unwrap();
    assert_eq!(outcome.reply, "incident 1 is merged into incident 42");
    let incident = world.incident();
    let into = MergedInto {
        id: "other".into(),
        number: 42,
    };
    assert_eq!(incident.lifecycle.status, Status::Resolved);
    assert_eq!(incident.lifecycle.merged_into, Some(into));
    assert!(!incident.may_reopen(&world.tally, world.now, MINUTE));
    assert!(world.timers().is_empty(), "{:?}", world.timers());
    let last = world.stream.last().unwrap();
    assert_eq!(last.event.traits().effect, Effect::EndsPaging);
    let said = "ada merged it into incident 42: one cause";
    assert_eq!(narrate(incident, last), said);
}

#[test]
fn the_other_incident_takes_over_its_keys_and_says_so() {
    let mut from = world().incident().clone();
    from.absorbed = vec![IncidentKey("earlier".to_owned())];
    let mut outcome = absorbed(&from, "one cause");
    let recorded: Vec<Recorded> = outcome.recorded(&ada(), world().now);
    let into = target(|_| {}).unwrap();
    let into = recorded.iter().fold(Incident::clone(&into), Incident::fold);
    let keys = ["other", "checkout", "earlier"].map(|it| IncidentKey(it.to_owned()));
    assert_eq!(keys_of(&into), keys);
    let said = "ada merged incident 1 into it: one cause";
    assert_eq!(narrate(&into, &recorded[0]), said);
}

#[test]
fn what_cannot_be_merged_is_refused_with_a_remedy() {
    type Change = fn(&mut Incident);
    let closed: Change = |it| it.lifecycle.status = Status::Closed;
    let own: Change = |it| it.id = "i1".into();
    let drill: Change = |it| it.about.drill = true;
    let secret: Change = |it| it.grading.security = true;
    let full: Change = |it| it.absorbed = vec![IncidentKey("k".to_owned()); 64];
    for (what, change, says) in [
        ("closed", closed, "incident 42 is closed; merge into"),
        ("itself", own, "cannot be merged into itself"),
        (
            "a drill",
            drill,
            "only one of the incidents 1 and 42 is a drill",
        ),
        ("not to be seen", secret, "no incident 42"),
        (
            "full",
            full,
            "too many incidents were merged into incident 42",
        ),
    ] {
        let refused = merge(&mut world(), target(change), &ada()).unwrap_err();
        assert!(refused.to_string().contains(says), "{what}: {refused}");
    }
    let refused = merge(&mut world(), None, &ada()).unwrap_err();
    assert_eq!(refused.to_string(), "no incident 42");
    let mut restricted = world();
    restricted.incident.as_mut().unwrap().grading.security = true;
    let refused = merge(&mut restricted, target(|_| {}), &ada()).unwrap_err();
    assert!(refused.to_string().contains("security flag"), "{refused}");
}

#[test]
fn the_daemon_itself_merges_only_what_nobody_has_acknowledged() {
    let mut world = world();
    let via = "api".to_owned();
    world.command(Command::Acknowledge { via }, &ada()).unwrap();
    let refused = merge(&mut world, target(|_| {}), &Actor::Tocsin).unwrap_err();
    assert!(matches!(refused, Refusal::Stale(_)), "{refused}");
    merge(&mut world, target(|_| {}), &ada()).unwrap();
}

#[test]
fn an_alert_of_a_merged_incident_is_placed_anew_although_it_is_only_a_repeat() {
    let mut world = world();
    merge(&mut world, target(|_| {}), &ada()).unwrap();
    let signal = common::signal("A", SignalStatus::Firing, world.now);
    let known = Known {
        alert: Some(&world.alerts["A"]),
        home: Some((world.incident(), &world.tally)),
        ..Known::default()
    };
    let needs = needed(&signal, &known, None, false, world.now, &world.delays);
    assert!(matches!(needs, Needed::Route), "{needs:?}");
}

#[test]
fn an_incident_is_part_of_one_that_routing_says_it_is_part_of() {
    let part = world().incident().clone();
    let page = |it: &mut Incident| {
        it.about.merges = Labels::from([("severity".to_owned(), "page".to_owned())]);
    };
    let is_part_of = |part: &Incident, change: &dyn Fn(&mut Incident)| {
        part.is_part_of(
            &target(|it| {
                page(it);
                change(it);
            })
            .unwrap(),
        )
    };
    assert!(is_part_of(&part, &|_| {}));
    assert!(!is_part_of(&part, &|it| it.about.merges.clear()));
    assert!(!is_part_of(&part, &|it| it.lifecycle.active_since =
        part.lifecycle.opened_at.minus_ms(1)));
    let mut other = part.clone();
    page(&mut other);
    assert!(!is_part_of(&other, &|_| {}), "it is an outage itself");
    let mut other = part.clone();
    other.lifecycle.acknowledged_at = Some(other.lifecycle.opened_at);
    assert!(!is_part_of(&other, &|_| {}), "somebody works on it");
    let mut other = part;
    other.about.labels.clear();
    assert!(!is_part_of(&other, &|_| {}));
}

#[test]
fn the_event_of_a_merge_counts_no_alert_that_fires() {
    let mut world = world();
    merge(&mut world, target(|_| {}), &ada()).unwrap();
    let Event::Merged { counts, .. } = &world.stream.last().unwrap().event else {
        panic!("{:?}", world.stream.last());
    };
    assert_eq!((counts.total, counts.firing), (1, 0));
}
