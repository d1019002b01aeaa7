//! The views of alerts, incidents and the context in policies.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tocsin_core::limits::VERDICT_INPUT_BYTES_MAX;
use tocsin_core::{Grade, Route, Timestamp};

use super::{alert, context, incident, labels, load, signal};
use crate::{
    AlertView, ChangeFacts, Context, ContextFacts, IncidentFacts, IncidentView, LocalTime,
    PolicySet, Weekday,
};

/// The value of an expression over `alert` and `ctx`, as text.
fn eval(expression: &str, alert: &AlertView, ctx: &Context) -> String {
    let text = format!(
        "fn route(alert, ctx) {{ let v = {expression}; \
         #{{ key: `<${{v}}>`, service: \"s\", reason: \"r\" }} }}"
    );
    let set = load(&[("routing.rhai", &text)]).unwrap_or_else(|reports| panic!("{reports}"));
    match set
        .route(alert, ctx)
        .unwrap_or_else(|report| panic!("{expression}: {report}"))
        .value
    {
        Route::Incident(target) => target.key.0,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_alert_has_properties_and_a_missing_label_is_the_empty_string() {
    let alert = alert(&[
        ("severity", "critical"),
        ("kubernetes.io/name", "api"),
        ("empty", ""),
    ]);
    for (expression, expected) in [
        ("alert.labels.severity", "<critical>"),
        ("alert.labels[\"kubernetes.io/name\"]", "<api>"),
        ("alert.labels.team", "<>"),
        ("alert.labels.team.to_upper()", "<>"),
        ("\"team\" in alert.labels", "<false>"),
        ("\"severity\" in alert.labels", "<true>"),
        ("alert.labels.len()", "<3>"),
        ("alert.labels.keys().len()", "<3>"),
        ("alert.label(\"team\", \"none\")", "<none>"),
        ("alert.label(\"empty\", \"none\")", "<none>"),
        (
            "alert.first_label([\"team\", \"empty\", \"severity\"], \"none\")",
            "<critical>",
        ),
        ("alert.first_label([], \"none\")", "<none>"),
        (
            "alert.annotations.runbook_url",
            "<https://runbooks.example/errors>",
        ),
        ("alert.status", "<firing>"),
        ("alert.integration", "<prometheus>"),
        ("alert.link", "<>"),
        ("alert.starts_at_ms", "<1000>"),
        ("alert.title.matches(\"High*rate\")", "<true>"),
        ("alert.title.matches(\"High\")", "<false>"),
        ("alert.title.matches(\"*err?r*\")", "<true>"),
    ] {
        assert_eq!(
            eval(expression, &alert, &context()),
            expected,
            "{expression}"
        );
    }
}

#[test]
fn the_context_has_time_on_call_load_and_changes() {
    let change = |service: &str, minute: i64| ChangeFacts {
        service: service.to_owned(),
        title: format!("deploy {minute}"),
        at: Timestamp(minute * 60_000),
        link: None,
    };
    let ctx = Context::new(ContextFacts {
        now: LocalTime {
            utc: Timestamp(60 * 60_000),
            zone: "Europe/Vienna".to_owned(),
            hour: 3,
            minute: 30,
            weekday: Weekday::Sunday,
        },
        on_call: BTreeMap::from([("payments".to_owned(), vec!["ada".into(), "bob".into()])]),
        load: BTreeMap::from([("ada".into(), 2)]),
        changes: vec![
            change("checkout", 10),
            change("search", 50),
            change("checkout", 55),
        ],
    });
    for (expression, expected) in [
        ("ctx.now.hour", "<3>"),
        ("ctx.now.weekday", "<sunday>"),
        ("ctx.now.weekend", "<true>"),
        ("ctx.now.zone", "<Europe/Vienna>"),
        ("ctx.now.utc_ms", "<3600000>"),
        ("ctx.has_rotation(\"payments\")", "<true>"),
        ("ctx.has_rotation(\"search\")", "<false>"),
        ("ctx.on_call(\"payments\")[1]", "<bob>"),
        ("ctx.on_call(\"search\").len()", "<0>"),
        ("ctx.load(\"ada\")", "<2>"),
        ("ctx.load(\"eve\")", "<0>"),
        ("ctx.changes(hours(1)).len()", "<3>"),
        ("ctx.changes(\"checkout\", minutes(30)).len()", "<1>"),
        (
            "ctx.changes(\"checkout\", minutes(30))[0].title",
            "<deploy 55>",
        ),
        ("ctx.changes(\"checkout\", hours(1))[0].age", "<5m>"),
        (
            "ctx.changes(\"checkout\", hours(1))[0].age < minutes(6)",
            "<true>",
        ),
        ("ctx.age(alert) > minutes(59)", "<true>"),
        ("ctx.age(alert).minutes", "<59>"),
        ("minutes(5) * 3 + seconds(1)", "<15m1s>"),
        ("minutes(5) - hours(1)", "<0s>"),
    ] {
        assert_eq!(
            eval(expression, &alert(&[]), &ctx),
            expected,
            "{expression}"
        );
    }
}

fn input_of(alert: &AlertView, text: &str) -> Value {
    let set: PolicySet = load(&[("grading.rhai", text)]).unwrap();
    set.grade(&incident(), alert, &context())
        .unwrap()
        .source
        .input
        .unwrap()
}

const WITH_CONTEXT: &str =
    "fn grade(incident, alert, ctx) { #{ grade: \"minor\", reason: \"r\" } }";

#[test]
fn a_verdict_has_its_input_and_the_context_only_if_the_policy_takes_it() {
    let input = input_of(&alert(&[("severity", "page")]), super::GRADE);
    assert_eq!(input["alert"]["labels"], json!({ "severity": "page" }));
    assert_eq!(input["incident"]["key"], json!("checkout"));
    assert_eq!(input.get("context"), None);
    let input = input_of(&alert(&[]), WITH_CONTEXT);
    assert_eq!(input["context"]["on_call"]["payments"], json!(["ada"]));
}

#[test]
fn the_values_of_a_large_input_are_truncated_before_a_key_is_dropped() {
    let mut long = signal(&[("severity", "page"), ("query", &"q".repeat(1_000))]);
    long.summary = "s".repeat(2_000);
    let input = input_of(&AlertView::new(long), WITH_CONTEXT);
    assert!(serde_json::to_string(&input).unwrap().len() <= VERDICT_INPUT_BYTES_MAX);
    assert_eq!(input["alert"]["labels"]["severity"], json!("page"));
    assert!(
        input["alert"]["labels"]["query"]
            .as_str()
            .unwrap()
            .ends_with('…')
    );
    assert_eq!(input["context"]["on_call"]["payments"], json!(["ada"]));
}

#[test]
fn the_largest_input_still_fits() {
    let names: Vec<String> = (0..64).map(|n| format!("{n}{}", "n".repeat(120))).collect();
    let value = "\u{1}".repeat(1_024);
    let all: Vec<(&str, &str)> = names.iter().map(|n| (n.as_str(), value.as_str())).collect();
    let mut huge = signal(&all);
    huge.annotations = labels(&all);
    huge.title = "\u{1}".repeat(256);
    huge.summary = "\u{1}".repeat(2_048);
    let input = input_of(&AlertView::new(huge), WITH_CONTEXT);
    let text = serde_json::to_string(&input).unwrap();
    assert!(
        text.len() <= VERDICT_INPUT_BYTES_MAX,
        "{} bytes: {text}",
        text.len()
    );
    assert_eq!(input["incident"]["number"], json!(7));
}

#[test]
fn an_incident_about_to_open_has_no_grade_until_it_is_graded() {
    let target = tocsin_core::Target {
        key: "k".into(),
        service: "s".to_owned(),
        team: Some("payments".into()),
        title: None,
    };
    let facts = IncidentFacts::opening(&target, &signal(&[("a", "b")]), Timestamp(5));
    assert_eq!(
        (facts.grade, facts.number, facts.alerts_firing),
        (None, 0, 1)
    );
    assert_eq!(facts.title, "High error rate");
    let text = "fn grade(incident, alert) { #{ grade: if incident.grade == \"\" { \"minor\" } \
         else { \"critical\" }, \
         reason: `${incident.alerts.firing} ${incident.labels.a} ${incident.team}` } }";
    let set = load(&[("grading.rhai", text)]).unwrap();
    let ask = |facts: &IncidentFacts| {
        set.grade(&IncidentView::new(facts.clone()), &alert(&[]), &context())
            .unwrap()
    };
    let verdict = ask(&facts);
    assert_eq!(
        (verdict.value.grade, verdict.reason.as_str()),
        (Grade::Minor, "1 b payments")
    );
    assert_eq!(
        ask(&facts.graded(verdict.value)).value.grade,
        Grade::Critical
    );
}
