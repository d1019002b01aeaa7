use serde_json::json;
use tocsin_core::SignalStatus;

use super::super::generic::parse;
use super::*;
use crate::config::{Mapping, Pointer};

fn plain(body: &serde_json::Value) -> Parsed {
    parse(body.to_string().as_bytes(), &Mapping::default(), &ctx()).unwrap()
}

#[test]
fn a_curl_with_a_title_needs_no_mapping() {
    let body = include_bytes!("../../../tests/fixtures/ingest/generic/plain.json");
    let signal = only(parse(body, &Mapping::default(), &ctx()).unwrap());
    assert_eq!(signal.title, "disk full on db-1");
    assert_eq!(signal.status, SignalStatus::Firing);
    assert_eq!(
        signal.labels,
        labels(&[
            ("attempt", "3"),
            ("service", "db"),
            ("severity", "critical")
        ])
    );
    assert_eq!((signal.starts_at, signal.ends_at), (NOW, None));
}

#[test]
fn a_title_alone_is_a_firing_alert_and_its_resolve_finds_it() {
    let firing = only(plain(&json!({"title": "site down"})));
    let resolved = only(plain(&json!({"title": "site down", "status": "OK"})));
    assert_eq!(firing.fingerprint, resolved.fingerprint);
    assert_eq!(resolved.status, SignalStatus::Resolved);
    assert_eq!(resolved.ends_at, Some(NOW));
}

#[test]
fn two_titles_with_the_same_labels_are_two_alerts() {
    let alert = |title| json!({"title": title, "labels": {"severity": "critical"}});
    let (a, b) = (
        only(plain(&alert("disk full"))),
        only(plain(&alert("site down"))),
    );
    assert_ne!(a.fingerprint, b.fingerprint);
}

#[test]
fn with_an_alertname_the_title_may_change() {
    let alert = |title| json!({"title": title, "labels": {"alertname": "HighCpu"}});
    let (a, b) = (
        only(plain(&alert("CPU 91%"))),
        only(plain(&alert("CPU 97%"))),
    );
    assert_eq!(a.fingerprint, b.fingerprint);
}

#[test]
fn a_mapping_reads_another_tools_format_and_rejects_only_alerts_it_cannot_read() {
    let mapping = include_str!("../../../tests/fixtures/ingest/generic/zabbix-like.toml");
    let mapping: Mapping = toml::from_str(mapping).unwrap();
    let body = include_bytes!("../../../tests/fixtures/ingest/generic/zabbix-like.json");
    let parsed = parse(body, &mapping, &ctx()).unwrap();
    assert_eq!(pointers(&parsed), [(2, "/events/2/event/value")]);
    let [firing, resolved] = <[Signal; 2]>::try_from(parsed.signals).unwrap();
    assert_eq!(firing.fingerprint.as_str(), "4711");
    assert_eq!(firing.title, "High CPU");
    assert_eq!(
        firing.labels,
        labels(&[("host", "db-1"), ("severity", "High")])
    );
    assert_eq!(firing.starts_at, at("2026-01-31T12:00:00Z"));
    assert!(firing.link.unwrap().ends_with("eventid=4711"));
    assert_eq!(resolved.status, SignalStatus::Resolved);
    assert_eq!(resolved.starts_at, at("2026-01-31T12:00:00Z"));
}

#[test]
fn a_fingerprint_that_is_missing_from_its_mapped_place_is_noted() {
    let mapping: Mapping = toml::from_str("fingerprint = \"/id\"").unwrap();
    let parsed = parse(br#"{"title": "a"}"#, &mapping, &ctx()).unwrap();
    assert_eq!(parsed.notes[0].pointer, "/id");
    assert_eq!(
        only(parsed).fingerprint,
        only(plain(&json!({"title": "a"}))).fingerprint
    );
}

#[test]
fn each_element_of_an_array_is_an_alert_even_without_a_mapping() {
    let parsed = plain(&json!([{"title": "a"}, 7, {"labels": {}}, {"fingerprint": "x"}]));
    let titles: Vec<_> = parsed
        .signals
        .iter()
        .map(|signal| signal.title.as_str())
        .collect();
    assert_eq!(titles, ["a", "x"]);
    assert_eq!(pointers(&parsed), [(1, "/1"), (2, "/2/title")]);
}

#[test]
fn a_nested_label_is_noted_and_left_out() {
    let parsed = plain(&json!({"title": "a", "labels": {"deep": {"a": 1}, "flat": true}}));
    assert_eq!(parsed.notes.len(), 1);
    assert_eq!(only(parsed).labels, labels(&[("flat", "true")]));
}

#[test]
fn a_mapping_with_an_unknown_field_or_a_broken_pointer_is_refused() {
    for text in [
        "titel = \"/a\"",
        "title = \"a\"",
        "title = \"/a~2\"",
        "[labels]\na = \"b\"",
    ] {
        assert!(toml::from_str::<Mapping>(text).is_err(), "{text}");
    }
    let fault = Pointer::try_from("title".to_owned())
        .unwrap_err()
        .to_string();
    assert!(fault.contains("write it as `/name`"), "{fault}");
}

#[test]
fn items_that_point_to_nothing_are_malformed() {
    let mapping: Mapping = toml::from_str("items = \"/list\"").unwrap();
    for (body, wanted) in [("{}", "nothing is there"), ("{\"list\": {}}", "must be")] {
        let fault = parse(body.as_bytes(), &mapping, &ctx()).unwrap_err();
        assert!(fault.detail.contains(wanted), "{fault}");
        assert_eq!(fault.pointer.as_deref(), Some("/list"));
    }
}
