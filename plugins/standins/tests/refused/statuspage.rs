//! Atlassian Statuspage.

use crate::expect;
use serde_json::{Value, json};
use tocsin_standins::statuspage::{KEY, PAGE, SHOP, Statuspage};
use tocsin_standins::{Asked, Service as _};

fn asked(method: &str, path: &str, body: &Value) -> Asked {
    let mut asked = Asked::new(method, &format!("https://api.example/v1/pages/{path}"));
    asked.set_header("authorization", &format!("OAuth {KEY}"));
    if !body.is_null() {
        asked.set_header("content-type", "application/json");
        asked.body = body.to_string().into_bytes();
    }
    asked
}

fn good() -> Value {
    json!({
        "name": "Problems with Shop", "status": "investigating", "impact_override": "major",
        "body": "We look into it.", "deliver_notifications": true,
        "metadata": {"tocsin": {"incident_id": "inc-1"}},
        "component_ids": [SHOP], "components": {SHOP: "partial_outage"},
    })
}

/// A request with one field of the incident changed, or left out if the value is null.
fn with(method: &str, path: &str, change: (&str, Value)) -> Asked {
    let mut fields = good();
    match change {
        (name, Value::Null) => drop(fields.as_object_mut().unwrap().remove(name)),
        (name, value) => fields[name] = value,
    }
    asked(method, path, &json!({ "incident": fields }))
}

#[test]
fn statuspage_refuses_wrong_fields_of_an_incident() {
    let mut statuspage = Statuspage::default();
    let incidents = format!("{PAGE}/incidents");
    let cases = [
        ("name", Value::Null, "blank"),
        ("name", json!(""), "blank"),
        ("name", json!("x".repeat(256)), "too long"),
        ("body", json!("x".repeat(25_001)), "too long"),
        ("body", json!(["x"]), "body"),
        ("status", json!("open"), "status"),
        ("status", json!("scheduled"), "status"),
        ("impact_override", json!("severe"), "impact"),
        ("deliver_notifications", json!("no"), "deliver"),
        ("metadata", json!({"tocsin": "inc-1"}), "metadata"),
        ("component_ids", json!(["0"]), "unknown component"),
        (
            "components",
            json!({"0": "operational"}),
            "unknown component",
        ),
        ("components", json!({SHOP: "down"}), "components"),
        ("title", json!("x"), "not a known field"),
    ];
    for (name, value, word) in &cases {
        let asked = with("POST", &incidents, (name, value.clone()));
        expect(&mut statuspage, &asked, (422, word), name);
    }
    assert!(statuspage.incidents.is_empty() && statuspage.mails.is_empty());
    let whole = with("POST", &incidents, ("name", json!("Problems")));
    expect(&mut statuspage, &whole, (201, "in0000000001"), "accepted");
    let one = format!("{incidents}/in0000000001");
    for (name, value, word) in cases.iter().filter(|it| !it.1.is_null()) {
        let asked = with("PATCH", &one, (name, value.clone()));
        expect(&mut statuspage, &asked, (422, word), name);
    }
    expect(
        &mut statuspage,
        &with("PATCH", &one, ("name", Value::Null)),
        (200, "in0000000001"),
        "accepted",
    );
    assert_eq!(statuspage.mails.len(), 2);
}

#[test]
fn statuspage_refuses_a_wrong_key_an_unknown_page_and_a_body_that_is_not_json() {
    let mut statuspage = Statuspage::default();
    let page = asked("GET", PAGE, &Value::Null);
    expect(&mut statuspage, &page, (200, PAGE), "accepted");
    for key in ["", "Bearer 1", "OAuth wrong"] {
        let mut asked = page.clone();
        asked.set_header("authorization", key);
        expect(&mut statuspage, &asked, (401, "authenticate"), key);
    }
    let missing = [
        ("GET", "other".to_owned()),
        ("GET", "other/incidents/unresolved".to_owned()),
        ("GET", format!("{PAGE}/incidents/none")),
        ("PATCH", format!("{PAGE}/incidents/none")),
        ("GET", format!("{PAGE}/components/none")),
        ("PUT", format!("{PAGE}/incidents/none/postmortem")),
        ("DELETE", format!("{PAGE}/incidents")),
    ];
    for (method, path) in missing {
        let asked = asked(method, &path, &Value::Null);
        expect(&mut statuspage, &asked, (404, "not be found"), &path);
    }
    let incidents = format!("{PAGE}/incidents");
    let mut form = asked("POST", &incidents, &json!({ "incident": good() }));
    form.set_header("content-type", "application/x-www-form-urlencoded");
    expect(&mut statuspage, &form, (400, "JSON"), "form");
    let bare = asked("POST", &incidents, &good());
    expect(&mut statuspage, &bare, (400, "incident"), "not wrapped");
}

#[test]
fn statuspage_refuses_more_than_60_requests_in_60_seconds() {
    for status in [420, 429] {
        let mut statuspage = Statuspage::default();
        statuspage.limited = Some(status);
        let page = asked("GET", PAGE, &Value::Null);
        for second in 0..60 {
            statuspage.set_time(1_000 + second / 2);
            expect(&mut statuspage, &page, (200, PAGE), "accepted");
        }
        statuspage.set_time(1_059);
        expect(&mut statuspage, &page, (status, "Rate limit"), "one more");
        statuspage.set_time(1_060);
        expect(&mut statuspage, &page, (200, PAGE), "a minute later");
    }
}

#[test]
fn statuspage_lists_what_is_unresolved_and_keeps_a_postmortem() {
    let mut statuspage = Statuspage::default();
    let incidents = format!("{PAGE}/incidents");
    for status in ["investigating", "resolved"] {
        let asked = with("POST", &incidents, ("status", json!(status)));
        expect(&mut statuspage, &asked, (201, status), status);
    }
    let list = |path: &str| asked("GET", &format!("{incidents}{path}"), &Value::Null);
    let ids = |statuspage: &mut Statuspage, path: &str| {
        let listed = statuspage.answer(&list(path)).body;
        let listed: Value = serde_json::from_str(&listed).unwrap();
        let ids = listed
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["id"].to_string());
        ids.collect::<Vec<_>>().join(" ")
    };
    let (first, second) = ("\"in0000000001\"", "\"in0000000002\"");
    assert_eq!(ids(&mut statuspage, "/unresolved"), first);
    assert_eq!(ids(&mut statuspage, ""), format!("{second} {first}"));
    assert_eq!(ids(&mut statuspage, "?limit=1&page=2"), first);
    assert_eq!(ids(&mut statuspage, "/unresolved?page=2"), "");
    let one = format!("{incidents}/in0000000002/postmortem");
    let draft = json!({"postmortem": {"body_draft": "Why"}});
    let publish = asked("PUT", &format!("{one}/publish"), &json!({"postmortem": {}}));
    expect(&mut statuspage, &publish, (404, "not be found"), "no draft");
    let empty = asked("PUT", &one, &json!({"postmortem": {}}));
    expect(&mut statuspage, &empty, (422, "body_draft"), "empty");
    expect(
        &mut statuspage,
        &asked("PUT", &one, &draft),
        (200, "Why"),
        "draft",
    );
    expect(
        &mut statuspage,
        &publish,
        (200, "published_at"),
        "published",
    );
}
