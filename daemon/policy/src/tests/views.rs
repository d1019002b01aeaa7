//! The views of alerts, incidents and the context in policies.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tocsin_core::limits::VERDICT_INPUT_BYTES_MAX;
use tocsin_core::{Grade, Route, Timestamp};

use super::{alert, context, incident, load, signal};
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
            ..LocalTime::default()
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

fn reads_of(alert: &AlertView, text: &str) -> Value {
    let set: PolicySet = load(&[("grading.rhai", text)]).unwrap();
    set.grade(&incident(), alert, &context())
        .unwrap()
        .source
        .input
        .unwrap()
        .as_ref()
        .clone()
}

#[test]
fn a_verdict_says_what_was_read_and_how_it_was_compared() {
    let text = r#"fn grade(incident, alert, ctx) {
        let severity = alert.labels.severity;
        let many = incident.alerts.firing >= 10;
        let old = ctx.age(incident) > minutes(30);
        let carries = `${ctx.load("ada")}`;
        #{ grade: "minor", reason: severity + many + old + ctx.on_call("payments")[0] + carries }
    }"#;
    let reads = reads_of(&alert(&[("severity", "page"), ("other", "x")]), text);
    let expected = json!([
        ["alert.labels[\"severity\"]", "page"],
        ["incident.alerts.firing >= 10", false],
        ["ctx.age(incident) >= 30m1ms", false],
        ["ctx.load(\"ada\")", 0],
        ["ctx.on_call(\"payments\")", ["ada"]],
    ]);
    assert_eq!(reads, expected);
}

#[test]
fn what_was_read_is_bounded_and_says_what_was_left_out() {
    let labels: Vec<String> = (0..300).map(|n| format!("l{n}")).collect();
    let mut text = "fn grade(incident, alert) { let it = alert.labels;\n".to_owned();
    for label in &labels {
        text += &format!("it[\"{label}\"];\n");
    }
    text += "#{ grade: \"minor\", reason: \"r\" } }";
    let value = "\u{1}".repeat(1_024);
    let all: Vec<_> = labels
        .iter()
        .map(|it| (it.as_str(), value.as_str()))
        .collect();
    let reads = reads_of(&alert(&all), &text);
    let bytes = reads.to_string().len();
    assert!(bytes <= VERDICT_INPUT_BYTES_MAX, "{bytes} bytes");
    let pairs = reads.as_array().unwrap();
    let last = &pairs[pairs.len() - 1];
    let left_out = format!("{} more", 300 - (pairs.len() - 1));
    assert_eq!(last, &json!(["…", left_out]));
}

#[test]
fn an_incident_about_to_open_has_no_grade_until_it_is_graded() {
    let target = tocsin_core::Target {
        key: "k".into(),
        service: "s".to_owned(),
        team: Some("payments".into()),
        title: None,
        merges: tocsin_core::Labels::new(),
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
