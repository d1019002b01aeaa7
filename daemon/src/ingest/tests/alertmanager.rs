use serde_json::json;
use tocsin_core::SignalStatus;

use super::super::alertmanager::parse;
use super::*;

#[test]
fn a_firing_alert_has_the_senders_fingerprint_and_no_lease() {
    let body = include_bytes!("../../../tests/fixtures/ingest/alertmanager/firing.json");
    let signal = only(parse(body, &ctx()).unwrap());
    assert_eq!(signal.integration.as_str(), "it");
    assert_eq!(signal.fingerprint.as_str(), "c2aacb1c9d4f4f31");
    assert_eq!(signal.status, SignalStatus::Firing);
    assert_eq!(signal.title, "Instance db-1:9100 down");
    assert!(signal.summary.ends_with("down for more than 5 minutes."));
    assert_eq!(signal.labels["severity"], "critical");
    assert_eq!(
        signal.annotations["runbook_url"],
        "https://runbooks.example.com/InstanceDown"
    );
    assert_eq!(signal.starts_at, at("2026-01-31T12:00:00.123Z"));
    assert_eq!(signal.ends_at, None);
    assert!(
        signal
            .link
            .unwrap()
            .starts_with("http://prometheus.example.com:9090/graph")
    );
}

#[test]
fn the_receivers_name_is_unescaped() {
    let body = include_bytes!("../../../tests/fixtures/ingest/alertmanager/firing.json");
    let signal = only(parse(body, &ctx()).unwrap());
    assert_eq!(signal.annotations["receiver"], "tocsin.team-a");
    assert_eq!(
        signal.annotations["notification_reason"],
        "first notification"
    );
}

#[test]
fn a_resolved_alert_ends_at_its_senders_time() {
    let body = include_bytes!("../../../tests/fixtures/ingest/alertmanager/resolved.json");
    let signal = only(parse(body, &ctx()).unwrap());
    assert_eq!(signal.status, SignalStatus::Resolved);
    assert_eq!(signal.ends_at, Some(at("2026-01-31T12:09:30Z")));
}

#[test]
fn an_alert_with_only_labels_gets_alertmanagers_fingerprint() {
    let body = include_bytes!("../../../tests/fixtures/ingest/alertmanager/missing-keys.json");
    let signal = only(parse(body, &ctx()).unwrap());
    assert_eq!(signal.status, SignalStatus::Firing);
    assert_eq!(signal.title, "DiskFull on db-1");
    assert_eq!(signal.starts_at, NOW);
    let own = label_fingerprint(&labels(&[("alertname", "DiskFull"), ("instance", "db-1")]));
    assert_eq!(signal.fingerprint, own);
}

#[test]
fn a_custom_payload_without_alerts_is_one_alert_identified_by_its_group() {
    let body = include_bytes!("../../../tests/fixtures/ingest/alertmanager/custom-payload.json");
    let parsed = parse(body, &ctx()).unwrap();
    assert_eq!(parsed.notes.len(), 2, "{:?}", parsed.notes);
    let signal = only(parsed);
    assert_eq!(signal.fingerprint.as_str(), "{}:{alertname=\"DiskFull\"}");
    assert_eq!(signal.title, "Disks run full");
    assert_eq!(signal.labels["severity"], "warning");
}

#[test]
fn one_bad_alert_of_three_does_not_affect_the_others() {
    let body = include_bytes!("../../../tests/fixtures/ingest/alertmanager/one-bad-of-three.json");
    let parsed = parse(body, &ctx()).unwrap();
    let names: Vec<_> = parsed
        .signals
        .iter()
        .map(|s| s.labels["alertname"].as_str())
        .collect();
    assert_eq!(names, ["A", "C"]);
    assert_eq!(pointers(&parsed), [(1, "/alerts/1/labels/alertname")]);
    assert!(
        parsed.notes[0].message.contains("left out 7 alerts"),
        "{:?}",
        parsed.notes
    );
}

#[test]
fn a_fault_in_an_optional_field_is_a_note() {
    let body = json!({"alerts": [{
        "labels": {"alertname": "A"},
        "annotations": ["wrong"],
        "generatorURL": "javascript:alert(1)",
        "fingerprint": 7,
    }]});
    let parsed = parse(body.to_string().as_bytes(), &ctx()).unwrap();
    let places: Vec<_> = parsed
        .notes
        .iter()
        .map(|note| note.pointer.as_str())
        .collect();
    assert_eq!(
        places,
        [
            "/alerts/0/annotations",
            "/alerts/0/fingerprint",
            "/alerts/0/generatorURL"
        ]
    );
    assert_eq!(only(parsed).link, None);
}

#[test]
fn a_status_is_the_alerts_own_else_the_groups_else_derived_from_its_end() {
    let cases = [
        (
            json!({"status": "resolved"}),
            json!("firing"),
            Some(SignalStatus::Resolved),
        ),
        (json!({}), json!("resolved"), Some(SignalStatus::Resolved)),
        (
            json!({"endsAt": "2026-01-31T12:09:59Z"}),
            json!(null),
            Some(SignalStatus::Resolved),
        ),
        (
            json!({"endsAt": "2026-01-31T12:10:01Z"}),
            json!(null),
            Some(SignalStatus::Firing),
        ),
        (json!({}), json!(null), Some(SignalStatus::Firing)),
        (json!({"status": "on fire"}), json!("firing"), None),
        (json!({"status": 1}), json!("firing"), None),
        (json!({"endsAt": "tomorrow"}), json!("firing"), None),
    ];
    for (mut alert, group, wanted) in cases {
        alert["labels"] = json!({"alertname": "A"});
        let body = json!({"status": group, "alerts": [alert]}).to_string();
        let parsed = parse(body.as_bytes(), &ctx()).unwrap();
        assert_eq!(parsed.signals.first().map(|s| s.status), wanted, "{body}");
        assert_eq!(parsed.rejected.is_empty(), wanted.is_some(), "{body}");
    }
}

#[test]
fn a_body_without_alerts_is_refused_with_a_pointer() {
    let cases = [
        ("", None),
        ("{\"alerts\": [", None),
        ("[]", Some("")),
        ("{}", Some("/alerts")),
        ("{\"alerts\": {}}", Some("/alerts")),
    ];
    for (body, pointer) in cases {
        let fault = parse(body.as_bytes(), &ctx()).unwrap_err();
        assert_eq!(fault.pointer.as_deref(), pointer, "{body}: {fault}");
    }
}
