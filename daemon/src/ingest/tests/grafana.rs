use serde_json::{Value, json};
use tocsin_core::SignalStatus;

use super::super::grafana::parse;
use super::*;

#[test]
fn a_firing_alert_keeps_its_links_and_measured_values() {
    let body = include_bytes!("../../../tests/fixtures/ingest/grafana/firing.json");
    let signal = only(parse(body, &ctx()).unwrap());
    assert_eq!(signal.fingerprint.as_str(), "c6eadffa33fcdf37");
    assert_eq!(signal.status, SignalStatus::Firing);
    assert_eq!(signal.starts_at, at("2026-01-31T07:51:03.157Z"));
    assert_eq!(
        signal.link.as_deref(),
        Some("https://play.grafana.example.com/alerting/1afz29v7z/edit")
    );
    assert_eq!(signal.annotations["values"], "B=44.23943737541908, C=1");
    assert_eq!(
        signal.annotations["panel_url"],
        "https://play.grafana.example.com/d/abc?viewPanel=2"
    );
    assert!(
        !signal.annotations.contains_key("dashboard_url"),
        "an empty link is none"
    );
}

#[test]
fn a_resolved_alert_without_a_rule_links_to_its_dashboard() {
    let body = include_bytes!("../../../tests/fixtures/ingest/grafana/resolved.json");
    let signal = only(parse(body, &ctx()).unwrap());
    assert_eq!(signal.status, SignalStatus::Resolved);
    assert_eq!(signal.ends_at, Some(at("2026-01-31T07:58:03.157Z")));
    assert_eq!(
        signal.link.as_deref(),
        Some("https://play.grafana.example.com/d/abc")
    );
}

#[test]
fn one_bad_alert_of_three_does_not_affect_the_others() {
    let body = include_bytes!("../../../tests/fixtures/ingest/grafana/firing.json");
    let mut body: Value = serde_json::from_slice(body).unwrap();
    let good = body["alerts"][0].clone();
    body["alerts"] = json!([good, {"status": "firing", "labels": "none"}, good]);
    let parsed = parse(body.to_string().as_bytes(), &ctx()).unwrap();
    assert_eq!(parsed.signals.len(), 2);
    assert_eq!(pointers(&parsed), [(1, "/alerts/1/labels")]);
}

#[test]
fn grafanas_own_fields_may_be_missing_or_of_another_type() {
    for (name, value) in [
        ("values", json!("none")),
        ("values", json!({"B": null, "C": "x"})),
        ("valueString", json!(1)),
        ("panelURL", json!(["x"])),
        ("dashboardURL", json!("javascript:alert(1)")),
    ] {
        let mut alert = json!({"labels": {"alertname": "A"}});
        alert[name] = value;
        let body = json!({"orgId": 1, "alerts": [alert]}).to_string();
        let signal = only(parse(body.as_bytes(), &ctx()).unwrap());
        assert_eq!(
            (signal.link, signal.annotations),
            (None, Labels::new()),
            "{body}"
        );
    }
}
