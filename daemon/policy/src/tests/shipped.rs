//! The shipped policies do what their comments say.

use tocsin_core::{Grade, Route};

use super::{alert, context, incident, shipped_dir};
use crate::{Kind, PolicySet};

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

/// 1,000 label sets as the door benchmark has them, ten alerts of each: 50 services, each of one
/// team, and an `instance` and a `pod` of its own for each set.
#[test]
fn of_100_questions_to_the_shipped_policies_99_need_no_script() {
    let set = PolicySet::load(shipped_dir()).unwrap_or_else(|reports| panic!("{reports}"));
    let severities = ["critical", "warning", "warning", "error", "warning"];
    for number in (0..1_000_usize).cycle().take(10_000) {
        let service = format!("service-{:02}", number % 50);
        let (instance, pod) = (
            format!("10.0.0.{number}:9090"),
            format!("{service}-{number:x}"),
        );
        let alert = alert(&[
            ("alertname", "HighErrorRate"),
            ("severity", severities[number % 5]),
            ("service", &service),
            ("team", &format!("team-{}", number % 50 % 7)),
            ("environment", "production"),
            ("instance", &instance),
            ("pod", &pod),
        ]);
        set.route(&alert, &context()).unwrap();
        set.grade(&incident(), &alert, &context()).unwrap();
        set.escalate(&incident(), &context()).unwrap();
    }
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
    assert_eq!(found, 4);
}
