//! `ctx.firing(…)`, `ctx.count(…)`, `ctx.count_distinct(…)`, `ctx.flaps(…)` and `ctx.is_open(…)`.

use std::sync::Arc;

use tocsin_core::time::MINUTE_MS;
use tocsin_core::{Route, Timestamp};

use super::{alert, labels, load, routing_fault};
use crate::alerts::{AlertList, ListedAlert, Starts};
use crate::{Context, ContextFacts, LocalTime};

const NOW: Timestamp = Timestamp(1_790_000_000_000);

fn listed(key: &str, of: &[(&str, &str)], firing: bool, minutes_ago: &[u64]) -> ListedAlert {
    let times = minutes_ago.iter().map(|it| NOW.minus_ms(it * MINUTE_MS));
    ListedAlert {
        key: key.to_owned(),
        labels: labels(of),
        starts: Starts {
            firing,
            times: times.collect(),
        },
    }
}

fn context(alerts: Vec<ListedAlert>) -> Context {
    let now = LocalTime {
        utc: NOW,
        ..LocalTime::default()
    };
    let facts = ContextFacts {
        now,
        ..ContextFacts::default()
    };
    Context::new(facts).with_alerts(Arc::new(AlertList {
        alerts,
        ..AlertList::default()
    }))
}

/// What an expression is for an alert in cluster `eu`, as a text.
fn value(expression: &str, ctx: &Context) -> String {
    let text = format!(
        "fn route(alert, ctx) {{ #{{ key: `${{{expression}}}`, service: \"s\", reason: \"r\" }} }}"
    );
    let set = load(&[("routing.rhai", &text)]).unwrap_or_else(|reports| panic!("{reports}"));
    let asked = alert(&[("cluster", "eu"), ("severity", "critical")]);
    match set
        .route(&asked, ctx)
        .unwrap_or_else(|it| panic!("{it}"))
        .value
    {
        Route::Incident(target) => target.key.to_string(),
        other => panic!("{other:?}"),
    }
}

fn a_cluster() -> Context {
    let eu = ("cluster", "eu");
    context(vec![
        listed("a", &[eu, ("severity", "critical")], true, &[1]),
        listed("b", &[eu, ("severity", "minor")], true, &[90]),
        listed("c", &[eu], false, &[4]),
        listed("d", &[("cluster", "us")], true, &[1]),
    ])
}

#[test]
fn alerts_that_fire_are_counted_by_their_labels_with_the_one_that_is_asked_about() {
    for (expression, expected) in [
        ("ctx.firing(#{ cluster: \"eu\" })", "3"),
        ("ctx.firing(#{ cluster: alert.labels.cluster })", "3"),
        (
            "ctx.firing(#{ cluster: \"eu\", severity: \"critical\" })",
            "2",
        ),
        ("ctx.firing(#{ cluster: \"us\" })", "1"),
        ("ctx.firing(#{ cluster: \"asia\" })", "0"),
        ("ctx.firing(#{ severity: \"\" })", "1"),
        ("ctx.firing(#{})", "4"),
    ] {
        assert_eq!(value(expression, &a_cluster()), expected, "{expression}");
    }
}

#[test]
fn alerts_that_began_to_fire_within_a_window_are_counted_also_if_they_are_over() {
    for (expression, expected) in [
        ("ctx.count(#{ cluster: \"eu\" }, minutes(5))", "3"),
        ("ctx.count(#{ cluster: \"eu\" }, minutes(3))", "2"),
        ("ctx.count(#{ cluster: \"us\" }, minutes(5))", "1"),
    ] {
        assert_eq!(value(expression, &a_cluster()), expected, "{expression}");
    }
}

#[test]
fn different_values_of_a_label_are_counted_among_alerts_that_began_within_a_window() {
    let eu = ("cluster", "eu");
    let ctx = context(vec![
        listed("a", &[eu, ("service", "one")], true, &[1]),
        listed("b", &[eu, ("service", "one")], true, &[3]),
        listed("c", &[eu, ("service", "two")], false, &[4]),
        listed("d", &[eu, ("service", "three")], true, &[9]),
        listed("e", &[eu], true, &[1]),
        listed("f", &[("cluster", "us"), ("service", "four")], true, &[1]),
    ]);
    for (expression, expected) in [
        // The alert that is asked about has a severity and no service.
        (
            "ctx.count_distinct(\"service\", #{ cluster: \"eu\" }, minutes(5))",
            "2",
        ),
        (
            "ctx.count_distinct(\"service\", #{ cluster: \"eu\" }, minutes(3))",
            "1",
        ),
        (
            "ctx.count_distinct(\"service\", #{ cluster: \"eu\" }, minutes(9))",
            "3",
        ),
        (
            "ctx.count_distinct(\"severity\", #{ cluster: \"eu\" }, minutes(5))",
            "1",
        ),
        ("ctx.count_distinct(\"cluster\", #{}, minutes(5))", "2"),
    ] {
        assert_eq!(value(expression, &ctx), expected, "{expression}");
    }
}

#[test]
fn an_alert_that_is_known_counts_once_and_from_when_it_began() {
    let own = listed("prometheus/f1", &[("cluster", "eu")], true, &[10]);
    let ctx = context(vec![own]);
    assert_eq!(value("ctx.firing(#{ cluster: \"eu\" })", &ctx), "1");
    assert_eq!(
        value("ctx.count(#{ cluster: \"eu\" }, minutes(5))", &ctx),
        "0"
    );
    assert_eq!(
        value("ctx.count(#{ cluster: \"eu\" }, minutes(10))", &ctx),
        "1"
    );
}

#[test]
fn how_often_an_alert_began_to_fire_includes_now() {
    let ctx = context(vec![listed("prometheus/f1", &[], false, &[5, 20, 59])]);
    assert_eq!(value("ctx.flaps(alert, minutes(10))", &ctx), "2");
    assert_eq!(value("ctx.flaps(alert, hours(1))", &ctx), "4");
    let fires_on = context(vec![listed("prometheus/f1", &[], true, &[5, 20, 59])]);
    assert_eq!(value("ctx.flaps(alert, hours(1))", &fires_on), "3");
    assert_eq!(
        value("ctx.flaps(alert, hours(1))", &context(Vec::new())),
        "1"
    );
}

#[test]
fn whether_an_incident_is_open_is_asked_by_its_key() {
    let ctx = || {
        Context::new(ContextFacts::default()).with_alerts(Arc::new(AlertList {
            open: ["cluster/eu".into()].into(),
            ..AlertList::default()
        }))
    };
    for (expression, expected) in [
        ("ctx.is_open(\"cluster/eu\")", "true"),
        ("ctx.is_open(`cluster/${alert.labels.cluster}`)", "true"),
        ("ctx.is_open(\"cluster/us\")", "false"),
    ] {
        assert_eq!(value(expression, &ctx()), expected, "{expression}");
    }
    assert_eq!(
        value("ctx.is_open(\"cluster/eu\")", &Context::default()),
        "false"
    );
}

#[test]
fn an_incident_that_opens_or_ends_is_noticed_like_other_alerts() {
    use crate::trace::{Facts, Read, Trace};
    let read = Read::IsOpen("cluster/eu".to_owned());
    let trace = Trace {
        reads: vec![(read, crate::trace::Answer::Flag(false))],
        is_cut: false,
    };
    assert!(trace.watch("these", Facts::default()).surroundings);
}

#[test]
fn a_question_that_cannot_be_answered_is_an_error_with_its_remedy() {
    for (call, message, remedy) in [
        (
            "ctx.count(#{}, hours(2))",
            "`ctx.count` looks back over 2h",
            "give it at most 1h",
        ),
        (
            "ctx.flaps(alert, days(1))",
            "`ctx.flaps` looks back over 24h",
            "give it at most 1h",
        ),
        (
            "ctx.firing(#{ replicas: 5 })",
            "the label `replicas` in `ctx.firing` is the number 5; labels are texts",
            "write it as `replicas: \"…\"`",
        ),
        (
            "ctx.count_distinct(\"x\", #{ cluster: \"eu-*\" }, minutes(5))",
            "the label `cluster` in `ctx.count_distinct` is \"eu-*\"; labels are compared exactly",
            "give the whole value, or leave the label out",
        ),
        (
            "ctx.firing(#{ a: \"\", b: \"\", c: \"\", d: \"\", e: \"\", f: \"\", g: \"\", h: \"\", \
             i: \"\" })",
            "`ctx.firing` is asked for 9 labels",
            "ask for at most 8",
        ),
    ] {
        let report = routing_fault(&format!("fn route(alert, ctx) {{ {call} }}"));
        assert!(report.message.contains(message), "{call}: {report}");
        assert!(report.remedy.contains(remedy), "{call}: {report}");
    }
}

#[test]
fn a_count_is_asked_again_when_an_alert_leaves_the_window() {
    use crate::trace::{Facts, Quantity, Read};
    let eu = || labels(&[("cluster", "eu")]);
    let began = || Quantity::Began(eu(), 5 * MINUTE_MS);
    let services = || Quantity::Distinct("service".to_owned(), eu(), 5 * MINUTE_MS);
    let of = |service| [("cluster", "eu"), ("service", service)];
    let ctx = context(vec![
        listed("a", &of("one"), true, &[1]),
        listed("b", &of("two"), true, &[3]),
        listed("c", &of("one"), true, &[9]),
    ]);
    let facts = Facts {
        context: Some(&ctx),
        ..Facts::default()
    };
    let leaves = |minutes_ago: u64| Some(NOW.plus_ms((5 - minutes_ago) * MINUTE_MS + 1));
    for (read, flips) in [
        (Read::Exactly(began()), leaves(3)),
        (Read::AtLeast(began(), 2), leaves(3)),
        (Read::AtLeast(began(), 1), leaves(1)),
        (Read::AtLeast(began(), 3), None),
        (Read::AtLeast(began(), 0), None),
        (Read::Equals(began(), 2), leaves(3)),
        (Read::Equals(began(), 1), leaves(3)),
        (Read::Equals(began(), 0), leaves(1)),
        (Read::Equals(began(), 5), None),
        (Read::AtLeast(Quantity::Firing(eu()), 2), None),
        (Read::AtLeast(services(), 2), leaves(3)),
        (Read::AtLeast(services(), 1), leaves(1)),
        (Read::AtLeast(services(), 3), None),
    ] {
        assert_eq!(read.flips_at(facts), flips, "{read}");
    }
    assert_eq!(
        Read::AtLeast(began(), 2).to_string(),
        "ctx.count(#{cluster: \"eu\"}, 5m) >= 2"
    );
    assert_eq!(
        Read::AtLeast(services(), 6).to_string(),
        "ctx.count_distinct(\"service\", #{cluster: \"eu\"}, 5m) >= 6"
    );
}

#[test]
fn a_label_of_the_alert_may_have_an_asterisk_as_it_is_compared_as_it_is() {
    let text = "fn route(alert, ctx) { let n = ctx.firing(#{ path: alert.labels.path }); \
         #{ key: `${n}`, service: \"s\", reason: \"r\" } }";
    let set = load(&[("routing.rhai", text)]).unwrap();
    let route = set.route(&alert(&[("path", "/api/*")]), &a_cluster());
    assert!(matches!(route.unwrap().value, Route::Incident(it) if it.key.as_str() == "1"));
}
