use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tocsin_core::{Change, SignalStatus};

use super::super::pagerduty::{Accepted, ChangeEvent, EVENT_BYTES_MAX, Event, InvalidEvent};
use super::*;

const TRIGGER: &[u8] = include_bytes!("../../../tests/fixtures/ingest/pagerduty/trigger.json");

fn read(event: &Value) -> Result<Event, InvalidEvent> {
    Event::read(event.to_string().as_bytes())
}

fn trigger_with(pointer: &str, value: Value) -> Value {
    let mut event: Value = serde_json::from_slice(TRIGGER).unwrap();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    event.pointer_mut(parent).unwrap()[name] = value;
    event
}

#[test]
fn a_trigger_fires_under_its_dedup_key_with_its_payload_as_labels() {
    let event = Event::read(TRIGGER).unwrap();
    assert_eq!(
        event.routing_key.expose_secret(),
        "e93facc04764012d7bfb002500d5d1a6"
    );
    let (parsed, key) = event.into_parsed(&ctx());
    assert_eq!(key, "srv01/mysql");
    let signal = only(parsed);
    assert_eq!(signal.fingerprint.as_str(), "srv01/mysql");
    assert_eq!(signal.status, SignalStatus::Firing);
    assert_eq!(
        signal.title,
        "DISK at 99% on machine prod-datapipe03.example.com"
    );
    assert_eq!(signal.starts_at, at("2015-07-17T08:42:58.315Z"));
    assert_eq!(signal.ends_at, None);
    assert_eq!(signal.link.as_deref(), Some("http://pagerduty.example.com"));
    assert_eq!(
        signal.labels,
        labels(&[
            ("class", "disk"),
            ("component", "mysql"),
            ("custom_details.free space", "1%"),
            ("custom_details.ping time", "1500ms"),
            ("group", "prod-datapipe"),
            ("severity", "critical"),
            ("source", "prod-datapipe03.example.com"),
        ])
    );
    assert_eq!(
        signal.annotations,
        labels(&[
            ("client", "Sample Monitoring Service"),
            ("client_url", "https://monitoring.example.com"),
            ("custom_details.load avg", "0.75"),
            ("custom_details.nested.a", "1"),
            ("images.0.alt", "An image"),
            ("images.0.href", "https://example.com"),
            ("images.0.src", "https://chart.example.com/chart.png"),
            ("links.0.href", "http://pagerduty.example.com"),
            ("links.0.text", "An example link."),
        ])
    );
}

#[test]
fn nested_details_service_and_team_and_every_link_and_image_arrive() {
    let mut event: Value = serde_json::from_slice(TRIGGER).unwrap();
    event["payload"]["custom_details"] = json!({
        "service": "checkout", "team": "payments",
        "host": {
            "name": "srv01", "disks": [{ "path": "/var" }, { "path": "/srv", "full": true }],
        },
    });
    event["links"] = json!([
        { "href": "https://one.example.com", "text": "one" }, { "href": "https://two.example.com" },
        { "href": "javascript:alert(1)", "text": "three" }, { "text": "four" }, "five",
    ]);
    event["images"] = json!([{ "src": "https://a.example.com/a.png" },
                             { "src": "https://b.example.com/b.png", "alt": "b" }]);
    let signal = only(read(&event).unwrap().into_parsed(&ctx()).0);
    let mut labels_only = signal.labels.clone();
    labels_only.retain(|name, _| !["class", "component", "group"].contains(&name.as_str()));
    assert_eq!(
        labels_only,
        labels(&[
            ("custom_details.host.disks.0.path", "/var"),
            ("custom_details.host.disks.1.path", "/srv"),
            ("custom_details.host.name", "srv01"),
            ("custom_details.service", "checkout"),
            ("custom_details.team", "payments"),
            ("service", "checkout"),
            ("severity", "critical"),
            ("source", "prod-datapipe03.example.com"),
            ("team", "payments"),
        ])
    );
    let mut linked = signal.annotations.clone();
    linked.retain(|name, _| !name.starts_with("client"));
    assert_eq!(
        linked,
        labels(&[
            ("custom_details.host.disks.1.full", "true"),
            ("images.0.src", "https://a.example.com/a.png"),
            ("images.1.alt", "b"),
            ("images.1.src", "https://b.example.com/b.png"),
            ("links.0.href", "https://one.example.com"),
            ("links.0.text", "one"),
            ("links.1.href", "https://two.example.com"),
            ("links.2.text", "three"),
            ("links.3.text", "four"),
        ])
    );
    assert_eq!(signal.link.as_deref(), Some("https://one.example.com"));
}

#[test]
fn details_may_be_one_text_and_what_is_nested_too_deeply_is_left_out() {
    let text = trigger_with("/payload/custom_details", json!("it is full"));
    let signal = only(read(&text).unwrap().into_parsed(&ctx()).0);
    assert_eq!(signal.labels["custom_details"], "it is full");
    let mut deep = json!("bottom");
    for _ in 0..100 {
        deep = json!({ "a": deep });
    }
    let event = trigger_with("/payload/custom_details", deep);
    let signal = only(read(&event).unwrap().into_parsed(&ctx()).0);
    assert!(signal.labels.values().all(|it| it != "bottom"));
}

#[test]
fn acknowledge_and_resolve_need_no_payload() {
    let acknowledge = include_bytes!("../../../tests/fixtures/ingest/pagerduty/acknowledge.json");
    let resolve = include_bytes!("../../../tests/fixtures/ingest/pagerduty/resolve.json");
    let cases: [(&[u8], _, _); 2] = [
        (acknowledge, SignalStatus::Acknowledged, None),
        (resolve, SignalStatus::Resolved, Some(NOW)),
    ];
    for (body, status, ends_at) in cases {
        let signal = only(Event::read(body).unwrap().into_parsed(&ctx()).0);
        assert_eq!((signal.status, signal.ends_at), (status, ends_at));
        assert_eq!(signal.fingerprint.as_str(), "srv01/mysql");
    }
}

#[test]
fn a_trigger_without_a_key_is_identified_by_its_request() {
    let event = read(&trigger_with("/dedup_key", Value::Null)).unwrap();
    let (parsed, key) = event.into_parsed(&ctx());
    assert_eq!(key, "request-1");
    assert_eq!(only(parsed).fingerprint.as_str(), "request-1");
}

#[test]
fn all_faults_of_an_event_are_reported_at_once() {
    let fault = read(&json!({"event_action": "resolve"})).unwrap_err();
    assert_eq!(fault.status, "invalid event");
    assert_eq!(fault.errors.len(), 2, "{fault}");
    let fault = read(&json!({"event_action": "trigger", "payload": {}})).unwrap_err();
    assert_eq!(fault.errors.len(), 4, "{fault}");
}

#[test]
fn each_documented_rule_is_checked() {
    let cases = [
        (
            "/event_action",
            json!("open"),
            "'event_action' must be one of",
        ),
        ("/event_action", json!(1), "'event_action' must be a string"),
        (
            "/routing_key",
            json!(" "),
            "'routing_key' is missing or blank",
        ),
        (
            "/dedup_key",
            json!("é".repeat(256)),
            "'dedup_key' is longer than 255",
        ),
        ("/payload", json!([]), "'payload' must be an object"),
        ("/payload", json!(null), "'payload' is missing or blank"),
        (
            "/payload/summary",
            json!(""),
            "'payload.summary' is missing",
        ),
        (
            "/payload/source",
            json!(null),
            "'payload.source' is missing",
        ),
        (
            "/payload/severity",
            json!("major"),
            "'payload.severity' must be one of",
        ),
        (
            "/payload/timestamp",
            json!("noon"),
            "'payload.timestamp' must be a time",
        ),
    ];
    for (pointer, value, wanted) in cases {
        let fault = read(&trigger_with(pointer, value)).unwrap_err();
        assert!(
            fault.errors.iter().any(|error| error.contains(wanted)),
            "{pointer}: {fault}"
        );
    }
    read(&trigger_with("/dedup_key", json!("é".repeat(255)))).unwrap();
}

#[test]
fn a_body_that_is_not_an_event_is_unrecognized() {
    let large = vec![b' '; EVENT_BYTES_MAX + 1];
    for body in [&b"{"[..], b"[]", b"", b"\xff", &large] {
        let fault = Event::read(body).unwrap_err();
        assert_eq!(fault.status, "Unrecognized object");
        assert_eq!(fault.errors.len(), 1);
    }
}

#[test]
fn a_routing_key_is_not_printed() {
    let event = Event::read(TRIGGER).unwrap();
    assert!(!format!("{event:?}").contains("e93facc0"));
}

#[test]
fn the_responses_have_the_documented_shape() {
    let accepted = serde_json::to_value(Accepted::event("srv01/HTTP")).unwrap();
    let wanted =
        json!({"status": "success", "message": "Event processed", "dedup_key": "srv01/HTTP"});
    assert_eq!(accepted, wanted);
    let change = serde_json::to_value(Accepted::change()).unwrap();
    assert_eq!(
        change,
        json!({"status": "success", "message": "Change event processed"})
    );
    let invalid = serde_json::to_value(InvalidEvent::unknown_routing_key()).unwrap();
    assert_eq!(invalid["status"], "invalid event");
    assert!(
        invalid["errors"][0]
            .as_str()
            .unwrap()
            .contains("routing_key")
    );
}

#[test]
fn a_change_has_its_service_source_and_outcome() {
    let body = include_bytes!("../../../tests/fixtures/ingest/pagerduty/change.json");
    let change = ChangeEvent::read(body).unwrap().1.into_change(&ctx());
    assert_eq!(
        change.summary,
        "Build Success: Increase snapshot create timeout to 30 seconds"
    );
    assert_eq!(change.services, ["snapshots"]);
    assert_eq!(change.environment.as_deref(), Some("production"));
    assert_eq!(change.outcome.as_deref(), Some("passed"));
    assert_eq!(change.revision.as_deref(), Some("9fceb02"));
    assert_eq!(change.timestamp, at("2015-07-17T08:42:58.315Z"));
    assert_eq!(
        change.links.len(),
        1,
        "a script is no link: {:?}",
        change.links
    );
}

#[test]
fn a_change_may_name_several_services() {
    let cases = [
        (
            json!({ "services": ["shop", "cart", "shop", 7, " "] }),
            vec!["7", "cart", "shop"],
        ),
        (json!({ "services": [], "service": "shop" }), vec!["shop"]),
        (json!({ "service": ["shop"] }), vec!["shop"]),
        (json!({ "app": "shop", "team": "payments" }), vec!["shop"]),
        (json!({ "service": { "name": "shop" } }), vec![]),
    ];
    for (details, services) in cases {
        let change = change(
            &json!({ "summary": "Deploy", "custom_details": details }),
            "r1",
        );
        assert_eq!(change.services, services, "{details}");
    }
}

#[test]
fn a_change_that_is_reported_again_with_its_time_is_the_same() {
    let payload = json!({ "summary": "Deploy", "timestamp": "2026-01-31T12:00:00Z" });
    let other = json!({ "summary": "Deploy", "timestamp": "2026-01-31T12:00:01Z" });
    let first = change(&payload, "r1");
    assert_eq!(change(&payload, "r2").id, first.id);
    assert_ne!(change(&other, "r2").id, first.id);
    let timeless = json!({ "summary": "Deploy" });
    assert_ne!(change(&timeless, "r1").id, change(&timeless, "r2").id);
}

fn change(payload: &Value, request_id: &str) -> Change {
    let body = json!({ "routing_key": "k", "payload": payload }).to_string();
    let mut ctx = ctx();
    request_id.clone_into(&mut ctx.request_id);
    ChangeEvent::read(body.as_bytes())
        .unwrap()
        .1
        .into_change(&ctx)
}

#[test]
fn a_change_needs_a_key_and_a_summary() {
    for (body, wanted) in [
        (json!({"payload": {"summary": "x"}}), 1),
        (json!({"routing_key": "k"}), 1),
        (json!({"payload": {}}), 2),
        (json!({"routing_key": "k", "payload": "x"}), 1),
    ] {
        let fault = ChangeEvent::read(body.to_string().as_bytes()).unwrap_err();
        assert_eq!(fault.errors.len(), wanted, "{body}: {fault}");
    }
}
