//! Verdicts that stand, and what has them asked for again.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

mod common;

use common::{MINUTE, World, ada, people, plan_of, signal};
use tocsin_core::command::Command;
use tocsin_core::consequences::TimerKind;
use tocsin_core::incident::Tally;
use tocsin_core::limits::{
    ALERT_GROUPS_MAX, REVIEW_EVERY_MS, SILENCES_NAMED_MAX, TALLY_SAMPLE_MAX, TITLE_BYTES_MAX,
};
use tocsin_core::standing::{AlertGroup, Bounds, Seen, Watch, needs_review};
use tocsin_core::{Event, Grade, SignalStatus, SilenceRef, Timestamp};

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
fn a_clock_that_was_set_back_puts_off_a_review_by_no_more_than_a_minute() {
    let mut world = watching(firing_below(2));
    world.at(60 * MINUTE).fire("A");
    world.review().unwrap();
    world.at(MINUTE).fire("B");
    assert_eq!(review_due(&world), Some(2 * 60_000));
}

#[test]
fn other_policies_have_an_incident_reviewed_at_most_once_a_minute() {
    let mut world = watching(Watch::default());
    let needs = |world: &World| needs_review(world.incident(), &world.tally, "other", world.now);
    world.fire("A");
    assert!(needs(&world));
    world.at(5 * MINUTE).review().unwrap();
    // Minutes, and whether the policies in force are asked.
    for (minute, is_due) in [(5, false), (6, true), (4, true)] {
        world.at(minute * MINUTE);
        assert_eq!(needs(&world), is_due, "minute {minute}");
    }
    let own = needs_review(world.incident(), &world.tally, "", world.now);
    assert!(own, "the clock was set back");
    world.at(9 * MINUTE);
    assert!(!needs_review(world.incident(), &world.tally, "", world.now));
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
fn a_verdict_that_comes_back_is_not_proposed_again_until_a_person_grades() {
    let mut world = World {
        grade: Some(Grade::Critical),
        ..World::default()
    };
    world.fire("A");
    let flap = |world: &mut World| {
        for grade in [Grade::Minor, Grade::Critical] {
            world.grade = Some(grade);
            world.review().unwrap();
        }
    };
    (0..3).for_each(|_| flap(&mut world));
    assert_eq!(proposals(&world), 1);
    world.command(graded(Grade::Major), &ada()).unwrap();
    (0..3).for_each(|_| flap(&mut world));
    assert_eq!(proposals(&world), 3, "minor again, and critical, each once");
    let last = world.stream.iter().rev();
    let last = last.filter(|it| matches!(it.event, Event::GradeProposed { .. }));
    let grades: Vec<_> = last.map(|it| &it.event).collect();
    assert!(matches!(
        grades[0],
        Event::GradeProposed {
            source: Some(_),
            ..
        }
    ));
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

/// The largest value of a store, in bytes.
const VALUE_BYTES_MAX: usize = 8 * 1_024;

#[test]
fn the_fullest_row_of_a_tally_fits_into_a_store_whatever_alerts_are_called() {
    let names = [
        "x",
        "0123456789abcdef",
        "a much longer name of an alert",
        "\"",
        "\u{1}",
    ];
    for (name, most) in names.into_iter().zip([64, 64, 64, 250, 40]) {
        let mut world = watching(fullest_watch());
        world.security = true;
        for n in 0..2 * ALERT_GROUPS_MAX {
            let name = format!("{}{n}", name.repeat(most / name.len()));
            let mut kind = signal(&name, SignalStatus::Firing, world.now);
            kind.title = "\u{1}".repeat(TITLE_BYTES_MAX);
            kind.labels.insert("severity".into(), format!("{n:012}"));
            world.send(kind).unwrap();
        }
        let mut tally = world.tally.clone();
        tally.silences = (0..SILENCES_NAMED_MAX).map(longest_silence).collect();
        let most = Some(Timestamp(i64::MAX));
        (tally.log_due, tally.clear_due, tally.reopen_due) = (most, most, most);
        tally.ending = u64::MAX;
        tally.silenced = u64::MAX;
        assert_eq!(tally.sample.len(), TALLY_SAMPLE_MAX);
        let standing = tally.standing.as_mut().unwrap();
        standing.reviewed_at = most;
        standing.review_due = most;
        let bytes = serde_json::to_string(&tally).unwrap().len();
        assert!(bytes <= VALUE_BYTES_MAX, "{name:?}: {bytes} bytes");
    }
}

fn longest_silence(n: usize) -> SilenceRef {
    let id = format!("{n}{}", "x".repeat(35));
    let long = "\u{1}\"".repeat(200);
    SilenceRef::new(&id, &long, &long)
}

fn fullest_watch() -> Watch {
    let bounds = Bounds {
        from: u64::MAX - 1,
        below: u64::MAX,
    };
    let grades = Grade::ALL.map(Some).into_iter().chain([None]);
    let seen = grades.map(Seen::Grade);
    let flags = [true, false].into_iter();
    let seen = seen.chain(flags.clone().map(Seen::Security));
    let seen = seen.chain(flags.map(Seen::Acknowledged));
    Watch {
        policies: "0123456789abcdef".to_owned(),
        firing: bounds,
        total: bounds,
        seen: seen.collect(),
        flips_at: Some(Timestamp(i64::MAX)),
        surroundings: true,
    }
}

#[test]
fn what_is_not_kept_is_asked_about_each_time_and_watched() {
    let mut world = World::default();
    let kind = |world: &World, n: usize| {
        let mut kind = signal(&format!("A{n}"), SignalStatus::Firing, world.now);
        kind.labels.insert("severity".into(), n.to_string());
        kind
    };
    for n in 0..ALERT_GROUPS_MAX {
        let kind = kind(&world, n);
        world.send(kind).unwrap();
    }
    assert!(!world.tally.standing.as_ref().unwrap().is_cut);
    let known = kind(&world, 0);
    world.watch = firing_below(0);
    world.send(known).unwrap();
    assert_eq!(review_due(&world), None, "a known kind is not asked about");
    let unkept = kind(&world, ALERT_GROUPS_MAX);
    world.send(unkept).unwrap();
    let standing = world.tally.standing.as_ref().unwrap();
    assert_eq!(standing.groups.len(), ALERT_GROUPS_MAX);
    assert!(standing.is_cut, "so that it can be logged");
    assert_eq!(standing.watch.firing, firing_below(0).firing);
    assert_eq!(review_due(&world), Some(world.now.0));
}

#[test]
fn a_row_of_an_earlier_version_still_reads() {
    let row = r#"{"counts":{"total":2,"firing":1},"logged":{"total":1,"firing":1},
        "logged_at":5,"logged_times":1,"shapes":["a"]}"#;
    let tally: Tally = serde_json::from_str(row).unwrap();
    assert_eq!(tally.standing, None);
    let long = r#"{"shape":"a","alert":"prom/b","grading":{"grade":"major","security":false}}"#;
    let group: AlertGroup = serde_json::from_str(long).unwrap();
    let short = serde_json::to_string(&group).unwrap();
    assert_eq!(serde_json::from_str::<AlertGroup>(&short).unwrap(), group);
    assert_eq!(short, r#"{"s":"a","a":"prom/b","g":{"grade":"major"}}"#);
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
