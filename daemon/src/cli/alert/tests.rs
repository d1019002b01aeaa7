//! The output of `tocsin alert show` and `tocsin alert history`.

use serde_json::{Value, json};

use super::{Out, history, print};

fn printed(more: Value) -> String {
    let mut alert = json!({
        "integration": "prometheus", "fingerprint": "1c3d", "firing": true,
        "title": "the shop\u{1b}[2J is slow", "labels": { "service": "shop", "tier": "1" },
        "link": "https://prometheus.example.com/graph", "place": "incident", "incident": 7,
        "starts_at": "2026-01-31T12:00:00Z", "last_seen": "2026-01-31T12:10:00Z",
        "lease_until": "2026-01-31T12:14:00Z", "summary": "", "annotations": {},
        "ignored_because": null, "waiting_for": null, "silenced_by": [], "silences": [],
        "first_seen": "2026-01-31T12:01:00Z", "changed_at": "2026-01-31T12:01:00Z", "repeats": 9,
    });
    let Value::Object(more) = more else {
        panic!("fields: {more}");
    };
    alert.as_object_mut().expect("fields").extend(more);
    let alert = serde_json::from_value(alert).expect("an alert");
    let mut out = Vec::new();
    let result = print(&alert, &mut Out::plain(&mut out));
    assert!(result.is_ok(), "it is written");
    String::from_utf8(out).expect("text")
}

#[test]
fn an_alert_is_printed_field_by_field_without_empty_fields() {
    let text = printed(json!({ "annotations": { "runbook": "https://wiki.example.com/slow" } }));
    let expected = "\
Alert prometheus 1c3d: the shop [2J is slow
  status        firing
  place         incident 7
  link          https://prometheus.example.com/graph
  firing since  2026-01-31T12:00:00Z
  first seen    2026-01-31T12:01:00Z
  last seen     2026-01-31T12:10:00Z
  changed       2026-01-31T12:01:00Z
  repeats       9
  lease until   2026-01-31T12:14:00Z
  labels
    service=shop
    tier=1
  annotations
    runbook=https://wiki.example.com/slow
";
    assert_eq!(text, expected);
}

#[test]
fn an_alert_that_is_in_no_incident_says_why() {
    let told = |place: &str, why: &str, value: Value| {
        let mut more = json!({ "place": place, "incident": null, "lease_until": null });
        more[why] = value;
        printed(more)
    };
    let text = told(
        "ignored",
        "ignored_because",
        json!("severity info needs no action"),
    );
    assert!(text.contains("\n  place         ignored\n"), "{text}");
    let why = "\n  because       severity info needs no action\n";
    assert!(text.contains(why), "{text}");
    let lease = "\n  lease until   none: only its sender or `tocsin alert resolve` ends it\n";
    assert!(text.contains(lease), "{text}");
    let text = told("waiting", "waiting_for", json!("shop"));
    assert!(text.contains("\n  waiting for   shop\n"), "{text}");
}

#[test]
fn an_alert_is_printed_with_its_silences() {
    let until = "2026-02-01T12:00:00Z";
    let silences = json!([
        { "id": "s1", "created_by": "ada", "comment": "upgrade", "ends_at": until },
        { "id": "s2", "created_by": "bob", "comment": "", "ends_at": null },
    ]);
    let text = printed(json!({ "silenced_by": ["s1", "s2"], "silences": silences }));
    let expected = "  silenced by   ada (upgrade) until 2026-02-01T12:00:00Z: s1
  silenced by   bob (-): s2
";
    assert!(text.contains(expected), "{text}");
    assert!(text.contains("\n  status        silenced\n"), "{text}");
    assert!(text.contains("\n  place         incident 7\n"), "{text}");
}

#[test]
fn an_alert_that_fires_although_its_incident_is_resolved_says_so() {
    let text = printed(json!({
        "incident_status": "resolved", "incident_resolved_by": "ada",
        "incident_reopens_at": "2026-01-31T12:40:00Z",
    }));
    let expected = "  status        firing
  place         incident 7 (resolved)
  resolved by   ada
  reopens at    2026-01-31T12:40:00Z
";
    assert!(text.contains(expected), "{text}");
}

#[test]
fn the_history_of_an_alert_is_one_line_a_change() {
    let change = |more: Value| {
        let mut change = json!({
            "at": "2026-01-31T12:00:00Z", "change": "began", "firing": true,
            "title": "the shop\u{1b}[2J is slow", "summary": "", "labels": { "tier": "1" },
            "annotations": {}, "link": null, "starts_at": "2026-01-31T12:00:00Z",
            "place": "incident", "incident": 7, "ignored_because": null,
        });
        let fields = change.as_object_mut().expect("fields");
        fields.extend(more.as_object().expect("fields").clone());
        change
    };
    let ignored = json!({
        "place": "ignored", "incident": null, "ignored_because": "severity info",
    });
    let answer = json!({
        "changes": [change(json!({ "change": "ended" })), change(ignored)],
        "next_before": 17,
    });
    let mut out = Vec::new();
    let answer = serde_json::from_value(answer).expect("a history");
    assert!(history::print(&answer, &mut Out::plain(&mut out)).is_ok());
    let expected = "\
AT                    CHANGE  PLACE                   TITLE                 LABELS
2026-01-31T12:00:00Z  ended   incident 7              the shop [2J is slow  tier=1
2026-01-31T12:00:00Z  began   ignored: severity info  the shop [2J is slow  tier=1
There may be older ones: --before 17
";
    assert_eq!(String::from_utf8(out).expect("text"), expected);
}
