//! A trace is exact: for generated policies and situations, what is known from a trace is what the
//! script would say, and nothing outside of the trace matters.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;
use tocsin_core::standing::Changing;
use tocsin_core::time::{HOUR_MS, MINUTE_MS};
use tocsin_core::{Grade, Grading, Status, Timestamp, Verdict};

use super::{ESCALATE, ROUTE, facts, load, signal};
use crate::PolicySet;
use crate::alerts::{AlertList, ListedAlert, Starts};
use crate::trace::{Facts, Trace};
use crate::view::{
    AlertView, ChangeFacts, Context, ContextFacts, IncidentView, LocalTime, Weekday,
};

/// Everything that a policy can read, small enough that two situations often agree.
#[derive(Clone, Debug)]
struct Situation {
    labels: BTreeMap<String, String>,
    title: &'static str,
    firing: u64,
    more_alerts: u64,
    grade: Option<Grade>,
    acknowledged: bool,
    started_ms_ago: u64,
    opened_ms_ago: u64,
    load: u32,
    rotation: Option<Vec<&'static str>>,
    change_ms_ago: Option<u64>,
    around: Vec<Around>,
    is_open: bool,
    now: Timestamp,
}

/// An alert in the index.
#[derive(Clone, Debug)]
struct Around {
    /// Whether it is the one that is asked about, as it was before.
    own: bool,
    label: &'static str,
    firing: bool,
    began_ms_ago: u64,
}

impl Around {
    fn listed(&self, number: usize, now: Timestamp) -> ListedAlert {
        let key = match self.own {
            true => "prometheus/f1".to_owned(),
            false => format!("prometheus/other{number}"),
        };
        ListedAlert {
            key,
            labels: BTreeMap::from([("a".to_owned(), self.label.to_owned())]),
            starts: Starts {
                firing: self.firing,
                times: vec![now.minus_ms(self.began_ms_ago)],
            },
        }
    }
}

impl Situation {
    fn views(&self) -> (AlertView, IncidentView, Context) {
        let ago = |ms: u64| self.now.minus_ms(ms);
        let mut alert = signal(&[]);
        alert.labels = self.labels.clone();
        alert.title = self.title.to_owned();
        alert.starts_at = ago(self.started_ms_ago);
        let mut incident = facts();
        incident.alerts_firing = self.firing;
        incident.alerts_total = self.firing + self.more_alerts;
        incident.grade = self.grade;
        incident.acknowledged = self.acknowledged;
        incident.opened_at = ago(self.opened_ms_ago);
        let people = |names: &Vec<&str>| names.iter().map(|it| (*it).into()).collect();
        let on_call = self
            .rotation
            .iter()
            .map(|it| ("payments".to_owned(), people(it)));
        let change = self.change_ms_ago.map(|ms| ChangeFacts {
            service: "shop".to_owned(),
            title: "deploy".to_owned(),
            at: ago(ms),
            link: None,
        });
        let context = Context::new(ContextFacts {
            now: utc(self.now),
            on_call: on_call.collect(),
            load: BTreeMap::from([("ada".into(), self.load)]),
            changes: change.into_iter().collect(),
        });
        let around = self.around.iter().enumerate();
        let around = around.map(|(number, it)| it.listed(number, self.now));
        let context = context.with_alerts(Arc::new(AlertList {
            alerts: around.collect(),
            open: self.is_open.then(|| "k".into()).into_iter().collect(),
        }));
        (AlertView::new(alert), IncidentView::new(incident), context)
    }

    fn at(&self, now: Timestamp) -> Self {
        let later = now.since(self.now);
        Self {
            now,
            started_ms_ago: self.started_ms_ago + later,
            opened_ms_ago: self.opened_ms_ago + later,
            change_ms_ago: self.change_ms_ago.map(|it| it + later),
            around: self
                .around
                .iter()
                .map(|it| Around {
                    began_ms_ago: it.began_ms_ago + later,
                    ..it.clone()
                })
                .collect(),
            ..self.clone()
        }
    }
}

/// The clock in UTC; 1970 began on a Thursday.
fn utc(now: Timestamp) -> LocalTime {
    let ms = now.since(Timestamp(0));
    let (hours, days) = (ms / HOUR_MS, ms / (24 * HOUR_MS));
    LocalTime {
        utc: now,
        zone: "UTC".to_owned(),
        hour: (hours % 24) as u8,
        minute: (ms / MINUTE_MS % 60) as u8,
        weekday: Weekday::ALL[(days as usize + 3) % 7],
        next_hour: Some(Timestamp(0).plus_ms((hours + 1) * HOUR_MS)),
        next_day: Some(Timestamp(0).plus_ms((days + 1) * 24 * HOUR_MS)),
    }
}

fn situations() -> impl Strategy<Value = Situation> {
    let label = (
        prop::sample::select(vec!["a", "b", "c"]),
        prop::sample::select(vec!["", "x", "y"]),
    );
    let labels = prop::collection::btree_map(
        label.0.prop_map(str::to_owned),
        label.1.prop_map(str::to_owned),
        0..3,
    );
    let minutes = || prop::sample::select(vec![0, 1, 59_999, 60_000, 60_001, 119_000, 180_000]);
    let around = (
        prop::bool::weighted(0.2),
        prop::sample::select(vec!["", "x", "y"]),
        any::<bool>(),
        minutes(),
    );
    let around = around.prop_map(|(own, label, firing, began_ms_ago)| Around {
        own,
        label,
        firing,
        began_ms_ago,
    });
    let grades = vec![None, Some(Grade::Minor), Some(Grade::Critical)];
    let rotations = vec![
        None,
        Some(vec![]),
        Some(vec!["ada"]),
        Some(vec!["ada", "bob"]),
    ];
    (
        (
            labels,
            prop::sample::select(vec!["t", "u"]),
            0..5_u64,
            0..3_u64,
        ),
        (
            prop::sample::select(grades),
            any::<bool>(),
            minutes(),
            minutes(),
        ),
        (
            0..4_u32,
            prop::sample::select(rotations),
            prop::option::of(minutes()),
            prop::collection::vec(around, 0..4),
            any::<bool>(),
        ),
        0..(8 * 24 * HOUR_MS as i64),
    )
        .prop_map(|(alert, incident, world, now)| Situation {
            labels: alert.0,
            title: alert.1,
            firing: alert.2,
            more_alerts: alert.3,
            grade: incident.0,
            acknowledged: incident.1,
            started_ms_ago: incident.2,
            opened_ms_ago: incident.3,
            load: world.0,
            rotation: world.1,
            change_ms_ago: world.2,
            around: world.3,
            is_open: world.4,
            now: Timestamp(10 * 24 * HOUR_MS as i64 + now),
        })
}

/// A question that a script can ask with yes or no.
fn conditions() -> impl Strategy<Value = String> {
    let comparison = prop::sample::select(vec!["==", "!=", "<", "<=", ">", ">="]);
    let number = prop::sample::select(vec![
        "incident.alerts.firing",
        "incident.alerts.total",
        "incident.alerts.firing * 2 - 1",
        "min(incident.alerts.firing, 3)",
        "alert.labels.len()",
        "ctx.load(\"ada\")",
        "ctx.age(incident).minutes",
        "ctx.firing(#{ a: \"x\" })",
        "ctx.count_distinct(\"a\", #{}, minutes(1))",
        "ctx.firing(#{ a: alert.labels.a })",
        "ctx.count(#{ a: \"x\" }, minutes(1))",
        "ctx.count(#{}, minutes(2))",
        "ctx.flaps(alert, minutes(2))",
        "ctx.on_call(\"payments\").len()",
        "ctx.changes(minutes(2)).len()",
        "(incident.alerts.total - incident.alerts.firing)",
        "(ctx.now.hour % 5)",
        "incident.alerts.firing.to_int()",
    ]);
    let age = prop::sample::select(vec!["ctx.age(alert)", "ctx.age(incident)"]);
    let numbers = (number, comparison.clone(), 0..5, any::<bool>()).prop_map(
        |(number, comparison, than, turned)| match turned {
            true => format!("{than} {comparison} {number}"),
            false => format!("{number} {comparison} {than}"),
        },
    );
    let ages =
        (age, comparison, 0..4, any::<bool>()).prop_map(|(age, comparison, than, turned)| {
            match turned {
                true => format!("minutes({than}) {comparison} {age}"),
                false => format!("{age} {comparison} minutes({than})"),
            }
        });
    let others = prop::sample::select(vec![
        "alert.labels.a == \"x\"",
        "alert.labels.contains(\"b\")",
        "alert.label(\"c\", \"x\") == \"x\"",
        "alert.first_label([\"a\", \"b\"], \"y\") == \"y\"",
        "\"a\" in alert.labels.keys()",
        "alert.title == \"t\"",
        "incident.grade == \"critical\"",
        "incident.acknowledged",
        "incident.alerts.firing in 1..3",
        "incident.alerts.total in 2..=3",
        "ctx.has_rotation(\"payments\")",
        "ctx.is_open(\"k\")",
        "ctx.is_open(alert.labels.a)",
        "\"bob\" in ctx.on_call(\"payments\")",
        "ctx.changes(\"shop\", minutes(1)).some(|it| it.title == \"deploy\")",
        "ctx.changes(minutes(3)).some(|it| it.age < seconds(90))",
        "ctx.now.weekend",
        "ctx.now.hour >= 9 && ctx.now.hour < 17",
        "ctx.now.minute < 30",
        "ctx.within(\"09:00-17:00\")",
        "ctx.within(\"weekdays 22:00-06:30\")",
        "ctx.within(\"weekend\", \"Asia/Kathmandu\")",
        "`${incident.alerts.firing}` == \"2\"",
        "[1, 3].contains(incident.alerts.firing)",
        "switch incident.alerts.firing { 0 | 2 => true, 3..5 => true, _ => false }",
        "switch ctx.now.hour { 1..=9 => true, _ => false }",
        "(if true { let n = 1; n += incident.alerts.firing; n } else { 0 }) == 3",
        "ctx.age(alert) - minutes(1) == minutes(1)",
    ]);
    let one = prop_oneof![numbers, ages, others.prop_map(str::to_owned)];
    one.prop_recursive(3, 8, 2, |inner| {
        prop_oneof![
            inner.clone().prop_map(|it| format!("!({it})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) && ({b})")),
            (inner.clone(), inner).prop_map(|(a, b)| format!("({a}) || ({b})")),
        ]
    })
}

/// A grading policy with a few branches, whose reason reads something too.
fn policies() -> impl Strategy<Value = String> {
    let reason = prop::sample::select(vec![
        "r",
        "${incident.alerts.firing}",
        "${ctx.age(incident)}",
        "${alert.labels.a}",
    ]);
    (prop::collection::vec(conditions(), 1..4), reason).prop_map(|(conditions, reason)| {
        let mut text = "fn grade(incident, alert, ctx) {\n".to_owned();
        for (at, condition) in conditions.iter().enumerate() {
            let grade = ["critical", "minor", "major"][at % 3];
            text += &format!(
                "if {condition} {{ return #{{ grade: \"{grade}\", reason: `{at} {reason}` }}; }}\n"
            );
        }
        text + "#{ grade: \"major\", security: true, reason: \"else\" }\n}"
    })
}

fn set(policy: &str) -> PolicySet {
    let files = [
        ("routing.rhai", ROUTE),
        ("grading.rhai", policy),
        ("escalation.rhai", ESCALATE),
    ];
    load(&files).unwrap_or_else(|reports| panic!("{reports}\n{policy}"))
}

fn grade(set: &PolicySet, at: &Situation) -> Verdict<Grading> {
    let (alert, incident, context) = at.views();
    set.grade(&incident, &alert, &context).unwrap()
}

/// The views of a situation, to be looked at as facts.
struct Views(AlertView, IncidentView, Context);

impl Views {
    fn of(at: &Situation) -> Self {
        let (alert, incident, context) = at.views();
        Self(alert, incident, context)
    }

    fn facts(&self) -> Facts<'_> {
        Facts {
            alert: Some(&self.0),
            incident: Some(&self.1),
            context: Some(&self.2),
        }
    }
}

/// What the grading of this situation read.
fn trace_of(set: &PolicySet, at: &Situation) -> Trace {
    set.trace_of_grading(Views::of(at).facts())
        .expect("a trace that is known")
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 100,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_verdict_from_the_cache_is_the_one_that_the_script_gives(
        policy in policies(),
        all in prop::collection::vec(situations(), 1..40),
    ) {
        let cached = set(&policy);
        for at in &all {
            prop_assert_eq!(grade(&cached, at), grade(&set(&policy), at), "{}\n{:?}", policy, at);
        }
    }

    #[test]
    fn a_verdict_stands_while_no_answer_in_its_trace_changes(
        policy in policies(),
        all in prop::collection::vec(situations(), 2..40),
    ) {
        let first = set(&policy);
        let stood = grade(&first, &all[0]);
        let trace = trace_of(&first, &all[0]);
        for at in &all[1..] {
            if trace.holds(Views::of(at).facts()) {
                let now = grade(&set(&policy), at);
                prop_assert_eq!(&stood, &now, "{}\n{:?}\n{:?}", policy, trace, at);
            }
        }
    }

    #[test]
    fn until_a_trace_flips_the_clock_changes_nothing(policy in policies(), at in situations()) {
        let set = set(&policy);
        grade(&set, &at);
        let trace = trace_of(&set, &at);
        let week = at.now.plus_ms(7 * 24 * HOUR_MS);
        let flips = trace.flips_at(Views::of(&at).facts());
        prop_assert!(flips.is_none_or(|it| it > at.now), "{trace:?}");
        let before = at.at(flips.unwrap_or(week).minus_ms(1));
        prop_assert!(trace.holds(Views::of(&before).facts()), "{policy}\n{trace:?}\n{before:?}");
    }

    #[test]
    fn a_verdict_stands_while_its_watch_holds_and_the_alert_reads_the_same(
        policy in policies(),
        one in situations(),
        other in situations(),
    ) {
        let set = set(&policy);
        // Around the incident nothing changes, which the watch only names, and no time passes.
        let other = Situation {
            load: one.load,
            rotation: one.rotation.clone(),
            change_ms_ago: one.change_ms_ago,
            opened_ms_ago: one.opened_ms_ago,
            around: one.around.clone(),
            is_open: one.is_open,
            now: one.now,
            ..other
        };
        let asked = |at: &Situation| {
            let (alert, incident, context) = at.views();
            let (verdict, basis) = set.grade_with_basis(&incident, &alert, &context).unwrap();
            let facts = Facts::of(Some(&incident), Some(&alert), &context);
            (verdict.value, basis.shape, basis.trace.watch("these", facts))
        };
        let (was, is) = (asked(&one), asked(&other));
        let incident = Changing {
            firing: other.firing,
            total: other.firing + other.more_alerts,
            grade: other.grade.unwrap_or(Grade::Minor),
            security: false,
            status: Status::Open,
            acknowledged: other.acknowledged,
        };
        if other.grade.is_some() && was.1 == is.1 && was.2.holds(incident) {
            prop_assert_eq!(was.0, is.0, "{}", policy);
        }
    }
}
