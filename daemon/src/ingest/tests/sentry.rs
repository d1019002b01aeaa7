use super::*;
use crate::ingest::sentry;
use serde_json::{Value, json};
use tocsin_core::{SignalStatus, Timestamp};

fn read(body: &Value) -> Parsed {
    let ctx = Received::new("sentry", NOW, "r1");
    sentry::parse(body.to_string().as_bytes(), &ctx).unwrap()
}

fn issue_alert() -> Value {
    json!({
        "action": "triggered",
        "installation": {"uuid": "a8e5d37a-696c-4c54-adb5-b3f28d64c7de"},
        "data": {
            "event": {
                "event_id": "e4874d664c3540c1a32eab185f12c5ab", "issue_id": "1170820242",
                "title": "ReferenceError: blooopy is not defined", "culprit": "app.checkout in pay",
                "level": "error", "platform": "javascript", "datetime": "2026-01-31T12:09:30.000Z",
                "timestamp": 1769861370.0, "release": "shop@2.3.1",
                "tags": [["environment", "production"], ["service", "checkout"], ["url", null]],
                "web_url": "https://sentry.io/organizations/acme/issues/1170820242/events/e48/",
            },
            "triggered_rule": "Checkout errors",
            "issue_alert": {"title": "Checkout errors", "settings": []},
        },
        "actor": {"type": "application", "id": "sentry", "name": "Sentry"},
    })
}

fn metric_alert(action: &str) -> Value {
    json!({
        "action": action,
        "data": {
            "metric_alert": {
                "id": "4", "identifier": "2", "date_started": "2026-01-31T12:07:00.000Z",
                "alert_rule": {"id": "7", "name": "Slow checkout", "projects": ["shop"]},
            },
            "description_title": "Critical: Slow checkout",
            "description_text": "p95(transaction.duration) is 4000 in the last 10 minutes",
            "web_url": "https://sentry.io/organizations/acme/alerts/rules/details/7/?alert=2",
        },
    })
}

#[test]
fn an_issue_alert_is_known_by_its_issue_and_has_its_tags() {
    let alert = read(&issue_alert()).signals.remove(0);
    assert_eq!(alert.status, SignalStatus::Firing);
    assert_eq!(alert.title, "ReferenceError: blooopy is not defined");
    assert_eq!(alert.summary, "app.checkout in pay");
    assert_eq!(alert.starts_at, Timestamp(1_769_861_370_000));
    let wanted = [
        ("alertname", "Checkout errors"),
        ("environment", "production"),
        ("issue", "1170820242"),
        ("level", "error"),
        ("platform", "javascript"),
        ("release", "shop@2.3.1"),
        ("service", "checkout"),
        ("severity", "error"),
    ];
    let labels = alert
        .labels
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    assert_eq!(labels.collect::<Vec<_>>(), wanted);
    assert!(alert.link.unwrap().ends_with("/events/e48/"));
}

#[test]
fn somebody_who_resolves_or_archives_the_issue_ends_its_alert() {
    let fired = read(&issue_alert()).signals.remove(0);
    for (action, ends) in [("resolved", true), ("ignored", true), ("assigned", false)] {
        let issue = json!({"id": 1_170_820_242, "title": "ReferenceError"});
        let parsed = read(&json!({"action": action, "data": {"issue": issue}}));
        assert_eq!(parsed.signals.len(), usize::from(ends), "{action}");
        for over in parsed.signals {
            assert_eq!(over.status, SignalStatus::Resolved);
            assert_eq!(over.fingerprint, fired.fingerprint);
        }
    }
}

#[test]
fn a_metric_alert_fires_changes_and_ends() {
    let [critical, warning, over] =
        ["critical", "warning", "resolved"].map(|it| read(&metric_alert(it)).signals.remove(0));
    assert_eq!(critical.labels["severity"], "critical");
    assert_eq!(critical.labels["alertname"], "Slow checkout");
    assert_eq!(critical.labels["project"], "shop");
    assert_eq!(warning.labels["severity"], "warning");
    assert_eq!(over.status, SignalStatus::Resolved);
    assert!(
        [&warning, &over]
            .iter()
            .all(|it| it.fingerprint == critical.fingerprint)
    );
    assert_ne!(
        critical.fingerprint,
        read(&issue_alert()).signals[0].fingerprint
    );
}

#[test]
fn what_is_no_alert_is_noted_and_what_is_broken_is_rejected() {
    for other in ["installation", "comment", "error"] {
        let parsed = read(&json!({"action": "created", "data": {other: {"id": 1}}}));
        assert_eq!(
            (parsed.signals.len(), parsed.notes.len()),
            (0, 1),
            "{other}"
        );
    }
    let mut broken = issue_alert();
    broken["data"]["event"]["issue_id"] = Value::Null;
    assert_eq!(read(&broken).rejected[0].pointer, "/data/event/issue_id");
    let parsed = read(&metric_alert("made up"));
    assert_eq!(parsed.rejected[0].pointer, "/data/action");
    let ctx = Received::new("sentry", NOW, "r1");
    for body in ["", "[]", "{}", r#"{"data": 7}"#] {
        assert!(sentry::parse(body.as_bytes(), &ctx).is_err(), "{body}");
    }
}
