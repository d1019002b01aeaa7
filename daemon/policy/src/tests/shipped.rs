//! The shipped policies do what their comments say.

use std::collections::BTreeMap;

use tocsin_core::{Grade, Route, Signal};

use super::{alert, context, incident, shipped_dir, signal};
use crate::{AlertView, IncidentFacts, IncidentView, Kind, PolicySet};

#[test]
fn the_shipped_policies_route_grade_and_escalate() {
    let set = PolicySet::load(shipped_dir()).unwrap_or_else(|reports| panic!("{reports}"));
    let alert = alert(&[("service", "checkout"), ("severity", "critical")]);
    let route = set
        .route(&alert, &context())
        .unwrap_or_else(|report| panic!("{report}"));
    assert!(matches!(&route.value, Route::Incident(target) if target.key.0 == "checkout"));
    assert_eq!(route.source.file, "routing.rhai");
    assert_eq!(route.source.hash.len(), 16);
    let grading = set.grade(&incident(), &alert, &context());
    let grading = grading.unwrap_or_else(|report| panic!("{report}"));
    assert_eq!(grading.value.grade, Grade::Critical);
    assert_eq!(grading.reason, "severity critical");
    let plan = set
        .escalate(&incident(), &context())
        .unwrap_or_else(|report| panic!("{report}"));
    assert_eq!(plan.value.steps.len(), 3);
}

#[test]
fn the_shipped_policies_pass_their_own_tests() {
    let report = crate::testing::run_tests(shipped_dir(), None);
    assert!(report.ok(), "{report}");
    assert!(30 <= report.passed, "{report}");
    crate::check(shipped_dir(), None).unwrap_or_else(|reports| panic!("{reports}"));
}

/// 1,000 label sets as the door benchmark has them, ten alerts of each, in a storm: 50 services
/// with an incident each, whose counts grow with every alert.
#[test]
fn of_100_questions_to_the_shipped_policies_in_a_storm_99_need_no_script() {
    let set = PolicySet::load(shipped_dir()).unwrap_or_else(|reports| panic!("{reports}"));
    let mut incidents = BTreeMap::new();
    for number in 0..10_000_u64 {
        let alert = AlertView::new(of_the_storm(number % 1_000));
        let Route::Incident(target) = set.route(&alert, &context()).unwrap().value else {
            panic!("every alert of the storm belongs to an incident");
        };
        let opened = incidents.len() as u64;
        let incident = incidents.entry(target.key.clone()).or_insert_with(|| {
            let now = context().facts().now.utc.plus_ms(number);
            let opening = IncidentFacts::opening(&target, alert.signal(), now);
            IncidentFacts {
                number: opened + 1,
                alerts_firing: 0,
                alerts_total: 0,
                ..opening
            }
        });
        incident.alerts_firing += 1;
        incident.alerts_total += 1;
        let view = IncidentView::new(incident.clone());
        let grading = set.grade(&view, &alert, &context()).unwrap();
        *incident = incident.clone().graded(grading.value);
        let view = IncidentView::new(incident.clone());
        set.escalate(&view, &context()).unwrap();
    }
    assert_eq!(incidents.len(), 50);
    assert!(incidents.values().all(|it| it.alerts_firing == 200));
    let stats = set.cache_stats();
    let rate = stats.hits as f64 / (stats.hits + stats.misses) as f64;
    println!(
        "{:.2} % of {} calls known, {} nodes",
        100.0 * rate,
        stats.hits + stats.misses,
        stats.nodes
    );
    assert!(rate >= 0.99, "{stats:?}");
}

/// An alert of the storm, whose labels are those of the door benchmark.
fn of_the_storm(number: u64) -> Signal {
    let names = [
        "HighErrorRate",
        "HighLatency",
        "PodCrashLooping",
        "QueueGrows",
        "DiskFills",
    ];
    let severities = ["critical", "warning", "warning", "error", "warning"];
    let service = format!("service-{:02}", number % 50);
    let kind = number as usize % 5;
    signal(&[
        ("alertname", names[kind]),
        ("severity", severities[kind]),
        ("service", &service),
        ("team", &format!("team-{}", number % 50 % 5)),
        ("namespace", "shop"),
        ("job", &service),
        ("environment", "production"),
        ("cluster", "eu-1"),
        ("instance", &format!("10.0.0.{number}:9090")),
        ("pod", &format!("{service}-{number:08x}")),
    ])
}

#[test]
fn the_examples_pass_their_tests_beside_the_shipped_policies() {
    let mut found = 0;
    for example in std::fs::read_dir(shipped_dir().join("examples")).unwrap() {
        let example = example.unwrap().path();
        let folder = tempfile::tempdir().unwrap();
        for kind in Kind::ALL.map(Kind::file) {
            let both = [example.join(kind), shipped_dir().join(kind)];
            if let Some(policy) = both.iter().find(|it| it.exists()) {
                std::fs::copy(policy, folder.path().join(kind)).unwrap();
            }
            let tests = kind.replace(".rhai", ".test.toml");
            if example.join(&tests).exists() {
                std::fs::copy(example.join(&tests), folder.path().join(&tests)).unwrap();
            }
        }
        let report = crate::testing::run_tests(folder.path(), None);
        assert!(report.ok() && report.passed > 0, "{example:?}: {report}");
        crate::check(folder.path(), None).unwrap_or_else(|it| panic!("{example:?}: {it}"));
        found += 1;
    }
    assert_eq!(found, 5);
}
