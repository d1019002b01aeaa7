//! The shipped policies do what their comments say.

use tocsin_core::{Grade, Route};

use super::{alert, context, incident, shipped_dir};
use crate::PolicySet;

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
    let report = crate::testing::run_tests(shipped_dir());
    assert!(report.ok(), "{report}");
    assert!(30 <= report.passed, "{report}");
    crate::testing::check(shipped_dir()).unwrap_or_else(|reports| panic!("{reports}"));
}
