//! A policy's result becomes a verdict, or a report that says which field is wrong.

use tocsin_core::limits::{NAME_BYTES_MAX, REASON_BYTES_MAX};
use tocsin_core::{Grade, Grading, Otherwise, PageTarget, Plan, Route, Step, Target, Verdict};

use super::{alert, context, facts, incident, load, routing_fault};
use crate::{IncidentFacts, IncidentView, Report};

fn route(answer: &str) -> Verdict<Route> {
    let text = format!("fn route(alert) {{ {answer} }}");
    let set = load(&[("routing.rhai", &text)]).unwrap_or_else(|reports| panic!("{reports}"));
    set.route(&alert(&[]), &context())
        .unwrap_or_else(|report| panic!("{report}"))
}

fn grade(answer: &str) -> Result<Verdict<Grading>, Report> {
    let text = format!("fn grade(incident, alert) {{ {answer} }}");
    let set = load(&[("grading.rhai", &text)]).unwrap_or_else(|reports| panic!("{reports}"));
    set.grade(&incident(), &alert(&[]), &context())
}

fn escalate(grade: Grade, answer: &str) -> Result<Verdict<Plan>, Report> {
    let text = format!("fn escalate(incident) {{ {answer} }}");
    let set = load(&[("escalation.rhai", &text)]).unwrap_or_else(|reports| panic!("{reports}"));
    let facts = IncidentFacts {
        grade: Some(grade),
        ..facts()
    };
    set.escalate(&IncidentView::new(facts), &context())
}

#[test]
fn a_route_names_an_incident_or_waits_or_ignores() {
    let target = Target {
        key: "k".into(),
        service: "s".to_owned(),
        team: Some("t".into()),
        title: None,
        merges: tocsin_core::Labels::new(),
    };
    let answer = "key: \"k\", service: \"s\", team: \"t\", reason: \"r\"";
    let verdict = route(&format!("#{{ {answer} }}"));
    assert_eq!(verdict.value, Route::Incident(target.clone()));
    assert_eq!(verdict.reason, "r");
    let verdict = route(&format!(
        "#{{ {answer}, wait_for: 3, within: minutes(10) }}"
    ));
    assert_eq!(
        verdict.value,
        Route::Wait {
            target,
            count: 3,
            window_ms: 600_000,
            otherwise: Otherwise::Open,
        }
    );
    for (written, meant) in [("open", Otherwise::Open), ("ignore", Otherwise::Ignore)] {
        let verdict = route(&format!(
            "#{{ {answer}, wait_for: 3, within: minutes(10), otherwise: {written:?} }}"
        ));
        let Route::Wait { otherwise, .. } = verdict.value else {
            panic!("{verdict:?}")
        };
        assert_eq!(otherwise, meant);
    }
    let verdict = route(&format!("#{{ {answer}, merge: #{{ cluster: \"eu\" }} }}"));
    let merges = &verdict.value.target().unwrap().merges;
    assert_eq!(merges["cluster"], "eu");
    assert_eq!(
        route("#{ ignore: true, reason: \"r\" }").value,
        Route::Ignore
    );
}

#[test]
fn empty_and_unit_values_count_as_absent() {
    let verdict = route("#{ key: \"k\", service: \"s\", team: \"\", title: (), reason: \"r\" }");
    let Route::Incident(target) = verdict.value else {
        panic!("{verdict:?}")
    };
    assert_eq!((target.team, target.title), (None, None));
}

#[test]
fn a_plan_accepts_one_target_or_a_list_without_duplicates_and_durations_as_strings() {
    let verdict = escalate(
        Grade::Critical,
        "#{ reason: \"r\", steps: [ #{ page: \"person:ada\", wait: \"90s\" }, \
           #{ page: [oncall(\"payments\"), team(\"t\"), oncall(\"payments\")], \
           wait: hours(1) } ] }",
    );
    let steps = verdict
        .unwrap_or_else(|report| panic!("{report}"))
        .value
        .steps;
    let oncall = PageTarget::OnCall("payments".to_owned());
    let expected = [
        Step {
            at: None,
            page: vec![PageTarget::Person("ada".into())],
            wait_ms: 90_000,
        },
        Step {
            at: None,
            page: vec![oncall, PageTarget::Team("t".into())],
            wait_ms: 3_600_000,
        },
    ];
    assert_eq!(steps, expected);
}

#[test]
fn only_a_minor_incident_may_page_nobody() {
    let nobody = "#{ steps: [], reason: \"r\" }";
    assert!(
        escalate(Grade::Minor, nobody)
            .unwrap()
            .value
            .steps
            .is_empty()
    );
    let report = escalate(Grade::Major, nobody).unwrap_err();
    assert!(
        report.message.contains("only a minor incident may do that"),
        "{report}"
    );
}

/// A wrong result of `route`, and a part of its report.
const WRONG_ROUTES: &[(&str, &str)] = &[
    (
        "\"checkout\"",
        "the result is the string \"checkout\"; expected a map",
    ),
    ("", "the result is nothing `()`; expected a map"),
    ("#{}", "`reason` is missing"),
    ("#{ reason: \"\" }", "`reason` is empty"),
    (
        "#{ reason: 7 }",
        "`reason` is the number 7; expected a string",
    ),
    ("#{ reason: \"r\" }", "`key` is missing"),
    ("#{ key: \"k\", reason: \"r\" }", "`service` is missing"),
    (
        "#{ key: \"k\", servce: \"s\", reason: \"r\" }",
        "`servce` is not a valid field",
    ),
    (
        "#{ ignore: 1, reason: \"r\" }",
        "`ignore` is the number 1; expected true or false",
    ),
    (
        "#{ ignore: true, key: \"k\", reason: \"r\" }",
        "`ignore: true` and `key` cannot",
    ),
    (
        "#{ key: \"k\", service: \"s\", reason: \"r\", wait_for: 3 }",
        "`wait_for` needs `within`",
    ),
    (
        "#{ key: \"k\", service: \"s\", reason: \"r\", within: minutes(1) }",
        "`within` needs `wait_for`",
    ),
    (
        "#{ key: \"k\", service: \"s\", reason: \"r\", otherwise: \"open\" }",
        "`otherwise` needs `wait_for`",
    ),
    (
        "#{ key: \"k\", service: \"s\", reason: \"r\", wait_for: 3, within: minutes(1), \
         otherwise: \"page\" }",
        "`otherwise` is \"page\"; expected \"open\" or \"ignore\"",
    ),
    (
        "#{ key: \"k\", service: \"s\", reason: \"r\", merge: \"eu\" }",
        "`merge` is the string \"eu\"; expected labels that incidents opened with",
    ),
    (
        "#{ key: \"k\", service: \"s\", reason: \"r\", merge: #{} }",
        "`merge` has 0 labels; expected between 1 and",
    ),
    (
        "#{ key: \"k\", service: \"s\", reason: \"r\", merge: #{ cluster: \"\" } }",
        "`merge.cluster` is empty, too long or not a text; expected labels",
    ),
    (
        "#{ key: \"k\", service: \"s\", reason: \"r\", wait_for: 51, within: minutes(1) }",
        "`wait_for` is the number 51; expected a number between 2 and 50",
    ),
    (
        "#{ key: \"k\", service: \"s\", reason: \"r\", wait_for: 1, within: minutes(1) }",
        "`wait_for` is the number 1; expected a number between 2 and 50",
    ),
    (
        "#{ key: \"k\", service: \"s\", reason: \"r\", wait_for: 3, within: 10 }",
        "`within` is the number 10; expected a duration, as `minutes(5)`",
    ),
];

#[test]
fn a_wrong_route_names_the_field_what_was_found_and_an_example() {
    for (answer, part) in WRONG_ROUTES {
        let report = routing_fault(&format!("// a policy\n  fn route(alert) {{ {answer} }}\n"));
        assert!(report.message.contains(part), "{answer}: {report}");
        assert_eq!(report.line, Some(2), "{answer}: {report}");
        assert!(
            report.remedy.contains("#{ key: \"checkout\""),
            "{answer}: {report}"
        );
    }
}

#[test]
fn a_wrong_grading_names_the_field_and_the_grades() {
    for (answer, part) in [
        (
            "#{ grade: \"bad\", reason: \"r\" }",
            "`bad` is not a grade; use minor, major or critical",
        ),
        ("#{ grade: 2, reason: \"r\" }", "`grade` is the number 2"),
        ("#{ reason: \"r\" }", "`grade` is missing"),
        (
            "#{ grade: \"minor\", security: \"no\", reason: \"r\" }",
            "`security` is the string \"no\"",
        ),
    ] {
        let report = grade(answer).unwrap_err();
        assert!(report.message.contains(part), "{answer}: {report}");
        assert!(
            report.remedy.contains("grade: \"major\""),
            "{answer}: {report}"
        );
    }
}

#[test]
fn a_wrong_plan_names_the_step_and_the_field() {
    let many = format!(
        "[{}]",
        "#{ page: person(\"a\"), wait: minutes(1) }, ".repeat(17)
    );
    for (steps, part) in [
        ("7", "`steps` is of type i64"),
        ("[7]", "`steps[0]` is the number 7; expected a map"),
        ("[#{ wait: minutes(1) }]", "`steps[0].page` is missing"),
        (
            "[#{ page: [], wait: minutes(1) }]",
            "`steps[0].page` names 0 targets",
        ),
        ("[#{ page: person(\"a\") }]", "`steps[0].wait` is missing"),
        (
            "[#{ page: person(\"a\"), wait: 5 }]",
            "`steps[0].wait` is the number 5",
        ),
        (
            "[#{ page: person(\"a\"), wait: seconds(0) }]",
            "`steps[0].wait` is 0s; between 1s and",
        ),
        (
            "[#{ page: \"ada\", wait: minutes(1) }]",
            "`ada` names nobody to page",
        ),
        (
            "[#{ page: oncall(\"paymnts\"), wait: minutes(1) }]",
            "known are default, payments",
        ),
        (many.as_str(), "`steps` has 17 steps; at most 16"),
    ] {
        let answer = format!("#{{ steps: {steps}, reason: \"r\" }}");
        let report = escalate(Grade::Major, &answer).unwrap_err();
        assert!(report.message.contains(part), "{steps}: {report}");
    }
}

#[test]
fn long_texts_are_truncated_and_long_keys_stay_distinct() {
    let long = "é".repeat(600);
    let verdict = grade(&format!("#{{ grade: \"minor\", reason: \"{long}\" }}")).unwrap();
    assert!(verdict.reason.len() <= REASON_BYTES_MAX && verdict.reason.ends_with('…'));
    let key = |end: char| {
        let answer = format!("#{{ key: \"{long}{end}\", service: \"s\", reason: \"r\" }}");
        match route(&answer).value {
            Route::Incident(target) => target.key,
            other => panic!("{other:?}"),
        }
    };
    assert!(key('a').0.len() <= NAME_BYTES_MAX);
    assert_ne!(key('a'), key('b'));
}
