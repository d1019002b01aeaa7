use serde_json::{Value, json};
use tocsin_core::SignalStatus;

use super::super::uptime_kuma::parse;
use super::*;

const DOWN: &[u8] = include_bytes!("../../../tests/fixtures/ingest/uptime-kuma/down.json");
const UP: &[u8] = include_bytes!("../../../tests/fixtures/ingest/uptime-kuma/up.json");
const DAY_MS: u64 = 24 * tocsin_core::time::HOUR_MS;

fn sent(body: &Value) -> Parsed {
    parse(body.to_string().as_bytes(), &ctx()).unwrap()
}

/// The recorded message with another value at a JSON pointer.
fn down_with(pointer: &str, value: Value) -> Parsed {
    let mut body: Value = serde_json::from_slice(DOWN).unwrap();
    *body.pointer_mut(pointer).unwrap() = value;
    sent(&body)
}

fn about(text: &str) -> Parsed {
    sent(&json!({"heartbeat": null, "monitor": null, "msg": text}))
}

#[test]
fn a_monitor_that_is_down_fires_with_its_tags_as_labels_and_its_time_in_utc() {
    let signal = only(parse(DOWN, &ctx()).unwrap());
    assert_eq!(signal.fingerprint.as_str(), "12");
    assert_eq!(signal.status, SignalStatus::Firing);
    assert_eq!(signal.title, "Shop is down");
    assert_eq!(signal.summary, "connect ECONNREFUSED 192.0.2.7:443");
    assert_eq!(
        signal.labels,
        labels(&[
            ("alertname", "Shop"),
            ("group", "Production"),
            ("public", "true"),
            ("service", "checkout"),
            ("type", "http")
        ])
    );
    assert_eq!(
        signal.annotations,
        labels(&[("description", "the public shop")])
    );
    assert_eq!(
        signal.link.as_deref(),
        Some("https://shop.example.com/health")
    );
    assert_eq!(signal.starts_at, at("2026-01-31T12:08:30.412Z"));
    assert_eq!(signal.ends_at, None);
}

#[test]
fn the_same_monitor_resolves_when_it_is_up() {
    let signal = only(parse(UP, &ctx()).unwrap());
    assert_eq!(signal.fingerprint.as_str(), "12");
    assert_eq!(signal.status, SignalStatus::Resolved);
    assert_eq!(signal.starts_at, at("2026-01-31T12:08:30.412Z"));
    assert_eq!(signal.ends_at, Some(at("2026-01-31T12:09:30.020Z")));
}

#[test]
fn a_pending_monitor_one_in_maintenance_and_an_unknown_status_open_nothing_and_are_no_error() {
    for (status, word) in [(2, "pending"), (3, "maintenance"), (4, "not known")] {
        let parsed = down_with("/heartbeat/status", json!(status));
        assert_eq!((parsed.signals, parsed.rejected), (vec![], vec![]));
        let [note] = <[Note; 1]>::try_from(parsed.notes).unwrap();
        assert_eq!(note.pointer, "/heartbeat/status");
        assert!(note.message.contains(word), "{note:?}");
    }
}

#[test]
fn a_test_message_and_other_texts_open_nothing() {
    for text in [
        "tocsin Testing",
        "will expire in 7 days",
        "[Shop][https://shop.example.com] will expire in 7 days",
        "[Shop][https://shop.example.com] server certificate a will expire in many days",
        "[Shop] [🔴 Down] the token will expire in 7 days",
        "Domain name example.com expired",
    ] {
        let parsed = about(text);
        assert_eq!(
            (parsed.signals, parsed.rejected),
            (vec![], vec![]),
            "{text}"
        );
        assert!(parsed.notes[0].message.contains("opens nothing"), "{text}");
    }
}

#[test]
fn a_certificate_that_expires_soon_is_an_alert_of_its_own_that_ends_when_it_has_expired() {
    let body = include_bytes!("../../../tests/fixtures/ingest/uptime-kuma/certificate.json");
    let signal = only(parse(body, &ctx()).unwrap());
    assert_eq!(signal.status, SignalStatus::Firing);
    assert_eq!(signal.title, "certificate of Shop expires in 7 days");
    assert_eq!(
        signal.labels,
        labels(&[
            ("alertname", "CertificateExpiry"),
            ("certificate", "shop.example.com"),
            ("certificate_type", "server"),
            ("domain", "shop.example.com"),
            ("monitor", "Shop"),
            ("severity", "warning")
        ])
    );
    assert_eq!(signal.ends_at, Some(NOW.plus_ms(8 * DAY_MS)));
    let later = about(
        "[Shop][https://shop.example.com/health] server certificate shop.example.com will expire \
         in 1 days",
    );
    assert_eq!(only(later).fingerprint, signal.fingerprint);
}

#[test]
fn expiry_is_recognized_in_each_wording_of_uptime_kuma() {
    let cases = [
        // text, name, domain, certificate, days until it ends
        (
            "[A][B] [c][https://a.example] Certificate will be expired in 21 days",
            "CertificateExpiry",
            "a.example",
            None,
            22,
        ),
        (
            "[A][null] intermediate CA certificate R3 will expire in 14 days",
            "CertificateExpiry",
            "R3",
            Some("R3"),
            15,
        ),
        (
            "Domain name example.com will expire in -2 days",
            "DomainExpiry",
            "example.com",
            None,
            1,
        ),
    ];
    for (text, name, domain, certificate, days) in cases {
        let signal = only(about(text));
        assert_eq!(signal.labels["alertname"], name, "{text}");
        assert_eq!(signal.labels["domain"], domain, "{text}");
        let found = signal.labels.get("certificate").map(String::as_str);
        assert_eq!(found, certificate, "{text}");
        assert_eq!(signal.ends_at, Some(NOW.plus_ms(days * DAY_MS)), "{text}");
    }
}

#[test]
fn what_cannot_be_read_is_noted_or_rejected_with_its_place() {
    for (pointer, value) in [
        ("/heartbeat/status", json!("down")),
        ("/heartbeat/status", json!(null)),
        ("/heartbeat/status", json!(-1)),
    ] {
        let parsed = down_with(pointer, value);
        assert_eq!(pointers(&parsed), [(0, pointer)]);
    }
    for (pointer, value) in [
        ("/heartbeat/time", json!("31.01.2026 12:08")),
        ("/heartbeat/time", json!("99999-01-01 00:00:00.000")),
        ("/heartbeat/time", json!(1_769_861_400)),
        ("/monitor/url", json!("javascript:alert(1)")),
        ("/monitor/name", json!({"first": "Shop"})),
        ("/monitor/hostname", json!(7)),
    ] {
        let parsed = down_with(pointer, value.clone());
        assert_eq!(parsed.notes[0].pointer, pointer, "{value}");
        assert_eq!(only(parsed).fingerprint.as_str(), "12", "{value}");
    }
    for (pointer, value) in [
        ("/monitor/url", json!("https://")),
        ("/monitor/url", json!(null)),
        ("/monitor/tags", json!(null)),
        ("/monitor/tags", json!([7, {"value": "x"}, {"name": ""}])),
        ("/monitor/path", json!("Shop")),
        ("/monitor", json!(null)),
    ] {
        let parsed = down_with(pointer, value.clone());
        assert_eq!(parsed.notes, [], "{value}");
        only(parsed);
    }
    let parsed = sent(&json!({"heartbeat": {"status": 0}, "monitor": {"name": "Shop"}}));
    assert_eq!(pointers(&parsed), [(0, "/monitor/id")]);
}

#[test]
fn a_tag_may_name_the_severity_but_not_replace_what_the_monitor_says() {
    let tags = json!([
        {"name": "severity", "value": "critical"},
        {"name": "alertname", "value": "other"},
        {"name": "team", "value": "web"},
        {"name": "team", "value": "ops"},
    ]);
    let signal = only(down_with("/monitor/tags", tags));
    assert_eq!(signal.labels["severity"], "critical");
    assert_eq!(signal.labels["alertname"], "Shop");
    assert_eq!(signal.labels["team"], "ops,web");
}

#[test]
fn another_request_body_is_refused_with_the_setting_to_choose() {
    let form = "----------------------------5f\r\nContent-Disposition: form-data; name=\"data\"\
                \r\n\r\n{}\r\n----------------------------5f--\r\n";
    let fault = parse(form.as_bytes(), &ctx()).unwrap_err();
    assert!(fault.detail.contains("application/json"), "{fault}");
    for (body, pointer) in [
        ("{}", "/heartbeat"),
        ("{\"Title\": \"Shop is down\"}", "/heartbeat"),
        (
            "{\"heartbeat\": null, \"monitor\": {\"id\": 1}}",
            "/heartbeat",
        ),
        ("{\"heartbeat\": 1}", "/heartbeat"),
        (
            "{\"heartbeat\": {\"status\": 0}, \"monitor\": []}",
            "/monitor",
        ),
    ] {
        let fault = parse(body.as_bytes(), &ctx()).unwrap_err();
        assert_eq!(fault.pointer.as_deref(), Some(pointer), "{body}");
    }
}
