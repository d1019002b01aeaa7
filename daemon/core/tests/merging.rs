//! Merging an incident into another.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod common;

use std::sync::Arc;

use common::{MINUTE, World, ada};
use tocsin_core::alert::{Place, Tally};
use tocsin_core::command::{Command, Merge, Outcome, Refusal};
use tocsin_core::event::{Effect, LogDraft, LogKind};
use tocsin_core::incident::{Incident, MergedInto, absorbed, keys_of};
use tocsin_core::intake::{IncidentChange, Known, Needed, NewIncidentId, decide_signal, needed};
use tocsin_core::{
    Actor, Audience, Event, Grade, IncidentKey, Labels, Promise, PromiseStage, Recorded, Route,
    SignalStatus, Status, narrate,
};

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

fn into(id: &str, number: u64) -> MergedInto {
    let id = id.into();
    MergedInto { id, number }
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
    assert_eq!(incident.lifecycle.status, Status::Resolved);
    assert_eq!(incident.lifecycle.merged_into, Some(into("other", 42)));
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
    let into = target(|_| {}).unwrap();
    let mut outcome = absorbed(&from, &into, "one cause");
    let recorded: Vec<Recorded> = outcome.recorded(&ada(), world().now);
    let into = recorded.iter().fold(Incident::clone(&into), Incident::fold);
    let keys = ["other", "checkout", "earlier"].map(|it| IncidentKey(it.to_owned()));
    assert_eq!(keys_of(&into), keys);
    let said = "ada merged incident 1 into it: one cause";
    assert_eq!(narrate(&into, &recorded[0]), said);
}

#[test]
fn the_other_incident_keeps_its_promises_and_has_its_open_tasks() {
    let mut from = world().incident().clone();
    let promise = |minutes| Promise {
        made_at: world().now,
        due: world().now.plus_ms(minutes * MINUTE),
        stage: PromiseStage::Made,
    };
    from.promises.open = [
        (Audience::Company, promise(30)),
        (Audience::Public, promise(60)),
    ]
    .into();
    let mut into = target(|it| {
        it.promises.open = [
            (Audience::Company, promise(40)),
            (Audience::Public, promise(20)),
        ]
        .into();
    })
    .map(|it| Incident::clone(&it))
    .unwrap();
    let added = |task, text: &str| Recorded {
        at: world().now,
        by: ada(),
        event: Event::TaskAdded {
            task,
            text: text.to_owned(),
            owner: None,
        },
    };
    from = from.fold(&added(1, "restart the primary"));
    into = into.fold(&added(1, "call the vendor"));
    let mut outcome = absorbed(&from, &into, "one cause");
    let recorded: Vec<Recorded> = outcome.recorded(&ada(), world().now);
    let into = recorded.iter().fold(into, Incident::fold);
    let due = |audience| into.promises.open[&audience].due;
    assert_eq!(due(Audience::Company), promise(30).due, "the earlier one");
    assert_eq!(due(Audience::Public), promise(20).due);
    let tasks: Vec<_> = into
        .tasks
        .open()
        .map(|(number, it)| (number, it.text.as_str()))
        .collect();
    assert_eq!(tasks, [(1, "call the vendor"), (2, "restart the primary")]);
}

#[test]
fn what_cannot_be_merged_is_refused_with_a_remedy() {
    type Change = fn(&mut Incident);
    let closed: Change = |it| it.lifecycle.status = Status::Closed;
    let own: Change = |it| it.id = "i1".into();
    let gone: Change = |it| it.lifecycle.merged_into = Some(into("third", 3));
    let circle: Change = |it| it.lifecycle.merged_into = Some(into("i1", 1));
    let drill: Change = |it| it.about.drill = true;
    let secret: Change = |it| it.grading.security = true;
    let full: Change = |it| it.absorbed = vec![IncidentKey("k".to_owned()); 64];
    for (what, change, says) in [
        ("closed", closed, "incident 42 is closed; merge into"),
        ("itself", own, "cannot be merged into itself"),
        (
            "merged",
            gone,
            "incident 42 was merged into 3; merge into 3",
        ),
        (
            "a circle",
            circle,
            "incident 42 is already part of 1, which goes on",
        ),
        (
            "a drill",
            drill,
            "only one of the incidents 1 and 42 is a drill",
        ),
        (
            "not to be seen",
            secret,
            "there is no incident 42; name one that is open, as in `merge into 42`",
        ),
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
    assert_eq!(
        refused.to_string(),
        "there is no incident 42; name one that is open, as in `merge into 42`"
    );
    let mut restricted = world();
    restricted.incident.as_mut().unwrap().grading.security = true;
    let refused = merge(&mut restricted, target(|_| {}), &ada()).unwrap_err();
    assert!(refused.to_string().contains("security flag"), "{refused}");
    let mut urgent = world();
    let state = urgent.incident.as_mut().unwrap();
    (state.grading.by_person, state.grading.grade) = (true, Grade::Critical);
    let refused = merge(
        &mut urgent,
        target(|it| it.grading.grade = Grade::Minor),
        &ada(),
    );
    let says = "a person graded incident 1 critical, and 42 is minor; grade 42 first";
    assert_eq!(refused.unwrap_err().to_string(), says);
}

#[test]
fn a_merge_that_is_repeated_is_answered_and_another_one_is_refused() {
    let mut world = world();
    merge(&mut world, target(|_| {}), &ada()).unwrap();
    let version = world.incident().version;
    let again = merge(&mut world, target(|_| {}), &ada()).unwrap();
    assert_eq!(again.reply, "incident 1 is already merged into incident 42");
    assert_eq!(world.incident().version, version);
    let third = target(|it| (it.id, it.number) = ("third".into(), 3));
    let refused = merge(&mut world, third, &ada()).unwrap_err();
    let says = "incident 1 was merged into 42; merge 42 instead";
    assert_eq!(refused.to_string(), says);
}

#[test]
fn what_somebody_has_touched_is_proposed_to_be_merged_once() {
    for touch in [
        Command::Acknowledge {
            via: "api".to_owned(),
        },
        Command::Log(LogDraft::of(LogKind::Note, "I look".to_owned())),
    ] {
        let mut world = world();
        world.command(touch, &ada()).unwrap();
        merge(&mut world, target(|_| {}), &Actor::Tocsin).unwrap();
        assert!(world.incident().is_active());
        let last = world.stream.last().unwrap();
        let says = "one cause; if it is, merge it: `tocsin incident merge 1 --into 42`";
        assert_eq!(narrate(world.incident(), last), says);
        let again = merge(&mut world, target(|_| {}), &Actor::Tocsin).unwrap_err();
        assert!(matches!(again, Refusal::Stale(_)), "{again}");
        merge(&mut world, target(|_| {}), &ada()).unwrap();
        assert!(!world.incident().is_active());
    }
}

#[test]
fn an_alert_of_a_merged_incident_moves_whatever_routing_and_silences_say_now() {
    let mut world = world();
    merge(&mut world, target(|_| {}), &ada()).unwrap();
    let into = target(|_| {}).unwrap();
    let heir = (into.as_ref(), &Tally::default());
    let signal = common::signal("A", SignalStatus::Firing, world.now);
    world.route = Some(Route::Ignore);
    world.silenced_by = vec!["s1".to_owned()];
    let assessment = world.assessment(&signal);
    let move_it = |heir| {
        let known = Known {
            alert: Some(&world.alerts["A"]),
            home: Some((world.incident(), &world.tally)),
            heir,
            ..Known::default()
        };
        let needs = needed(&signal, &known, None, false, world.now, &world.delays);
        assert!(matches!(needs, Needed::Route), "{needs:?}");
        let new_id = NewIncidentId {
            id: "new".into(),
            number: 2,
        };
        let channels = world.channels();
        decide_signal(
            &signal,
            known,
            Some(&assessment),
            &new_id,
            world.env(&channels),
        )
        .unwrap()
    };
    let moved = move_it(Some(heir));
    let place = Place::Incident { id: "other".into() };
    assert_eq!(moved.alerts[0].place, place);
    let firing = |it: &IncidentChange| it.outcome.tally.as_ref().unwrap().counts.firing;
    let counts: Vec<_> = moved
        .incidents
        .iter()
        .map(|it| (it.id.as_str(), firing(it)))
        .collect();
    assert_eq!(counts, [("i1", 0), ("other", 1)]);
    // What goes on is over too: then it is placed as any other.
    let over = target(|it| it.lifecycle.status = Status::Closed).unwrap();
    let moved = move_it(Some((over.as_ref(), &Tally::default())));
    assert!(matches!(moved.alerts[0].place, Place::Silenced { .. }));
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
    let hours = part.lifecycle.opened_at.plus_ms(2 * 60 * MINUTE);
    assert!(!is_part_of(&part, &|it| it.lifecycle.active_since = hours));
    assert!(!is_part_of(&part, &|it| it.grading.security = true));
    let mut other = part.clone();
    other.lifecycle.is_touched = true;
    assert!(is_part_of(&other, &|_| {}), "it is proposed");
    other.lifecycle.merge_proposed = Some(42);
    assert!(!is_part_of(&other, &|_| {}), "it was proposed");
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
