use tocsin_core::SignalStatus;

use super::super::grafana::parse;
use super::*;

#[test]
fn a_firing_alert_keeps_its_links_and_what_was_measured() {
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
fn a_resolved_alert_links_to_its_dashboard_when_it_names_no_rule() {
    let body = include_bytes!("../../../tests/fixtures/ingest/grafana/resolved.json");
    let signal = only(parse(body, &ctx()).unwrap());
    assert_eq!(signal.status, SignalStatus::Resolved);
    assert_eq!(signal.ends_at, Some(at("2026-01-31T07:58:03.157Z")));
    assert_eq!(
        signal.link.as_deref(),
        Some("https://play.grafana.example.com/d/abc")
    );
}
