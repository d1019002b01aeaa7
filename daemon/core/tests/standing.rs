//! Verdicts that stand, and what has them asked for again.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod common;

use common::{MINUTE, World, ada, people, plan_of, signal};
use tocsin_core::command::Command;
use tocsin_core::consequences::TimerKind;
use tocsin_core::incident::Tally;
use tocsin_core::limits::{ALERT_GROUPS_MAX, REVIEW_EVERY_MS};
use tocsin_core::standing::{Bounds, Seen, Watch};
use tocsin_core::{Event, Grade, SignalStatus, Timestamp};

/// When the review is due, in milliseconds.
fn review_due(world: &World) -> Option<i64> {
    let timers = world.timers();
    let review = timers.iter().find(|it| it.kind == TimerKind::Review);
    review.map(|it| it.due.0)
}

fn watching(watch: Watch) -> World {
    World {
        grade: Some(Grade::Minor),
        plan: Some(plan_of(&[])),
        watch,
        ..World::default()
    }
}

fn firing_below(below: u64) -> Watch {
    Watch {
        firing: Bounds { from: 0, below },
        ..Watch::default()
    }
}

fn proposals(world: &World) -> usize {
    world.count(|it| matches!(it, Event::GradeProposed { .. }))
}

#[test]
fn a_severity_that_rises_under_the_same_identity_raises_the_grade_and_pages() {
    let mut world = watching(Watch::default());
    world.fire("A");
    assert!(people(&world).is_empty());
    (world.grade, world.plan) = (Some(Grade::Critical), None);
    let mut worse = signal("A", SignalStatus::Firing, world.now);
    worse.labels.insert("severity".into(), "critical".into());
    world.at(MINUTE).send(worse.clone()).unwrap();
    assert_eq!(world.incident().grading.grade, Grade::Critical);
    assert_eq!(people(&world), ["ada"]);
    let alert = &world.alerts["A"];
    assert_eq!(alert.labels, worse.labels, "its row shows what it says now");
    assert_eq!(world.tally.counts.total, 1, "it is not counted again");
}

#[test]
fn a_severity_that_falls_is_one_proposal() {
    let mut world = World::default();
    world.fire("A");
    world.grade = Some(Grade::Minor);
    let mut better = signal("A", SignalStatus::Firing, world.now);
    for severity in ["info", "none"] {
        better.labels.insert("severity".into(), severity.into());
        world.send(better.clone()).unwrap();
    }
    assert_eq!(proposals(&world), 1);
    assert_eq!(
        world.incident().grading.grade,
        Grade::Major,
        "policies never lower"
    );
}

#[test]
fn an_alert_that_only_repeats_changes_nothing() {
    let mut world = World::default();
    world.fire("A");
    let (stream, tally) = (world.stream.len(), world.tally.clone());
    world.starts_at = Some(world.now);
    world.at(MINUTE).fire("A");
    assert_eq!((world.stream.len(), &world.tally), (stream, &tally));
    assert_eq!(world.alerts["A"].repeats, 1);
}

#[test]
fn counts_that_a_verdict_compared_have_it_asked_for_again_once_they_pass() {
    let mut world = watching(firing_below(3));
    world.fire("A");
    world.fire("B");
    assert_eq!(review_due(&world), None);
    world.at(MINUTE).fire("C");
    assert_eq!(review_due(&world), Some(60_000), "at once");
    (world.grade, world.plan, world.watch) = (None, None, Watch::default());
    world.run_until(2 * MINUTE);
    assert_eq!(world.incident().grading.grade, Grade::Major);
    assert_eq!(people(&world), ["ada"], "a raised grade brings its plan");
    assert_eq!(review_due(&world), None);
}

#[test]
fn a_review_that_finds_the_same_writes_no_event() {
    let mut world = watching(firing_below(2));
    world.fire("A");
    world.fire("B");
    let before = world.stream.len();
    world.run_until(MINUTE / 10);
    assert_eq!(world.stream.len(), before);
}

#[test]
fn reviews_are_a_minute_apart_however_often_something_changes() {
    let mut world = watching(firing_below(1));
    let mut reviews: Vec<i64> = Vec::new();
    for second in 0..600_u64 {
        world.at(second * 1_000).fire(&format!("A{second}"));
        if let Some(due) = review_due(&world).filter(|due| *due <= world.now.0) {
            reviews.push(due.max(world.now.0));
            world.review().unwrap();
        }
    }
    let apart = |pair: &[i64]| pair[1] - pair[0];
    let least = i64::try_from(REVIEW_EVERY_MS).unwrap();
    assert!(
        reviews.windows(2).all(|it| apart(it) >= least),
        "{reviews:?}"
    );
    assert_eq!(reviews.len(), 10);
}

#[test]
fn an_hour_without_acknowledgement_makes_it_major() {
    let hour = 60 * MINUTE;
    let mut world = watching(Watch {
        flips_at: Some(Timestamp(i64::try_from(hour).unwrap())),
        seen: [Seen::Acknowledged(false)].into(),
        ..Watch::default()
    });
    world.fire("A");
    world.run_until(hour - 1);
    assert_eq!(world.incident().grading.grade, Grade::Minor);
    (world.grade, world.plan, world.watch) = (None, None, Watch::default());
    world.run_until(hour);
    assert_eq!(world.incident().grading.grade, Grade::Major);
    assert_eq!(people(&world), ["ada"]);
}

#[test]
fn a_field_that_a_verdict_saw_has_it_asked_for_again_and_others_do_not() {
    let seen = [
        (Seen::Acknowledged(false), true),
        (Seen::Security(false), false),
        (Seen::Grade(Some(Grade::Minor)), false),
    ];
    for (seen, is_due) in seen {
        let mut world = watching(Watch {
            seen: [seen].into(),
            ..Watch::default()
        });
        world.fire("A");
        let acknowledge = Command::Acknowledge { via: "api".into() };
        world.command(acknowledge, &ada()).unwrap();
        assert_eq!(review_due(&world).is_some(), is_due, "{seen:?}");
    }
}

#[test]
fn a_policys_security_flag_acts_at_once_whoever_graded() {
    let mut world = watching(Watch::default());
    world.fire("A");
    world.command(graded(Grade::Minor), &ada()).unwrap();
    (world.grade, world.security) = (Some(Grade::Critical), true);
    world.fire("B");
    let grading = &world.incident().grading;
    assert!(grading.security);
    assert_eq!(grading.grade, Grade::Minor, "the person's grade stands");
    assert_eq!(proposals(&world), 1, "and the higher grade is proposed");
}

#[test]
fn a_review_proposes_only_what_the_policy_says_anew() {
    let mut world = World::default();
    world.fire("A");
    world.command(graded(Grade::Critical), &ada()).unwrap();
    world.review().unwrap();
    assert_eq!(
        proposals(&world),
        0,
        "a person just graded higher than the policy"
    );
    world.grade = Some(Grade::Minor);
    world.review().unwrap();
    world.review().unwrap();
    assert_eq!(proposals(&world), 1);
    assert_eq!(world.incident().grading.grade, Grade::Critical);
}

#[test]
fn a_plan_that_changes_begins_and_one_for_the_night_ends_the_paging() {
    let mut world = World::default();
    world.fire("A");
    world.plan = Some(plan_of(&[&["bob"]]));
    world.review().unwrap();
    assert_eq!(people(&world), ["ada", "bob"]);
    world.plan = Some(plan_of(&[]));
    world.review().unwrap();
    world.run_until(120 * MINUTE);
    assert_eq!(people(&world), ["ada", "bob"]);
}

#[test]
fn a_plan_that_names_whom_the_one_before_has_paged_waits_first() {
    let mut world = World::default();
    world.fire("A");
    world.plan = Some(plan_of(&[&["ada"], &["bob"]]));
    world.at(MINUTE).review().unwrap();
    assert_eq!(people(&world), ["ada"], "she was paged a minute ago");
    world.run_until(6 * MINUTE);
    assert_eq!(
        people(&world),
        ["ada", "bob"],
        "its second step follows in time"
    );
}

#[test]
fn an_acknowledged_incident_gets_a_new_plan_and_pages_nobody() {
    let mut world = World::default();
    world.fire("A");
    let acknowledge = Command::Acknowledge { via: "api".into() };
    world.command(acknowledge, &ada()).unwrap();
    world.plan = Some(plan_of(&[&["bob"]]));
    world.review().unwrap();
    assert_eq!(world.incident().escalation.plan, plan_of(&[&["bob"]]));
    assert_eq!(people(&world), ["ada"]);
}

#[test]
fn a_failed_policy_is_in_the_log_once_and_so_is_its_answer_after_that() {
    let mut world = World::default();
    world.fire("A");
    world.fallback = Some("grading.rhai:3:1: no such property".into());
    world.grade = Some(Grade::Critical);
    world.fire("B");
    world.review().unwrap();
    let failures = |it: &Event| matches!(it, Event::PolicyFailed { .. });
    assert_eq!(world.count(failures), 1);
    assert_eq!(world.incident().grading.grade, Grade::Critical);
    world.fallback = None;
    world.review().unwrap();
    let answers =
        |it: &Event| matches!(it, Event::Graded { reason, .. } if reason.contains("again"));
    assert_eq!(world.count(answers), 1);
    world.fallback = Some("grading.rhai:3:1: no such property".into());
    world.review().unwrap();
    assert_eq!(world.count(failures), 2, "it is news again");
}

#[test]
fn an_incident_that_is_over_has_no_review() {
    let mut world = watching(Watch {
        flips_at: Some(Timestamp(1)),
        ..Watch::default()
    });
    world.fire("A");
    let reason = "done".to_owned();
    world.command(Command::Resolve { reason }, &ada()).unwrap();
    assert_eq!(review_due(&world), None);
    assert!(world.review().is_err());
}

#[test]
fn kept_verdicts_are_bounded() {
    let mut world = World::default();
    for n in 0..2 * ALERT_GROUPS_MAX {
        let mut kind = signal(&format!("A{n}"), SignalStatus::Firing, world.now);
        kind.labels.insert("severity".into(), n.to_string());
        world.send(kind).unwrap();
    }
    let groups = &world.tally.standing.as_ref().unwrap().groups;
    assert_eq!(groups.len(), ALERT_GROUPS_MAX);
    world.grade = Some(Grade::Critical);
    world.fire("the last");
    assert_eq!(
        world.incident().grading.grade,
        Grade::Critical,
        "all the same"
    );
}

#[test]
fn a_row_of_an_earlier_version_still_reads() {
    let row = r#"{"counts":{"total":2,"firing":1},"logged":{"total":1,"firing":1},
        "logged_at":5,"logged_times":1,"shapes":["a"]}"#;
    let tally: Tally = serde_json::from_str(row).unwrap();
    assert_eq!(tally.standing, None);
}

fn graded(grade: Grade) -> Command {
    Command::Grade {
        grade,
        security: None,
        may_declassify: false,
        reason: "I looked".to_owned(),
        replan: None,
    }
}
