use serde_json::json;
use tocsin::standin::slack::Request;

use super::{Document, minimum, template_fits};

type Fields<'a> = &'a [(&'a str, &'a str)];

fn request(method: &str, fields: Fields) -> Request {
    let own = |it: &(&str, &str)| (it.0.to_owned(), it.1.to_owned());
    let kind = ("content-type", "application/x-www-form-urlencoded");
    Request {
        verb: "POST".into(),
        path: format!("/api/{method}"),
        query: String::new(),
        headers: [("authorization", "Bearer"), kind]
            .iter()
            .map(own)
            .collect(),
        body: b"form".to_vec(),
        fields: fields.iter().map(own).collect(),
    }
}

#[test]
fn a_valid_request_passes_and_each_fault_is_named() {
    let document = Document::load("slack-web-api.json").unwrap();
    let cases: &[(&str, Fields, Option<&str>)] = &[
        (
            "chat.postMessage",
            &[("channel", "C1"), ("text", "x"), ("blocks", "[]")],
            None,
        ),
        (
            "conversations.create",
            &[("name", "inc-1"), ("is_private", "true")],
            None,
        ),
        (
            "chat.postMessage",
            &[("text", "x")],
            Some("channel is required"),
        ),
        (
            "chat.postMessage",
            &[("channel", "C1")],
            Some("is required"),
        ),
        (
            "chat.postMessage",
            &[("channel", "C1"), ("blocks", "{}")],
            Some("wrong type"),
        ),
        (
            "chat.postMessage",
            &[("channel", "C1"), ("blocks", "[")],
            Some("not valid JSON"),
        ),
        ("chat.shout", &[("channel", "C1")], Some("chat.shout")),
    ];
    for (method, fields, fault) in cases {
        let request = request(method, fields);
        let least = minimum::check_slack(&request);
        let whole = document
            .as_ref()
            .map_or_else(|| least.clone(), |it| it.check_slack(&request));
        for found in [least, whole] {
            match fault {
                None => assert_eq!(found, Ok(()), "{method} {fields:?}"),
                Some(fault) => assert!(found.unwrap_err().contains(fault), "{method} {fields:?}"),
            }
        }
    }
}

#[test]
fn slacks_document_knows_the_types_and_names_of_parameters() {
    let Some(document) = Document::load("slack-web-api.json").unwrap() else {
        return;
    };
    let fields = [("name", "inc-1"), ("is_private", "perhaps")];
    assert!(
        document
            .check_slack(&request("conversations.create", &fields))
            .is_err()
    );
    let fields = [("channel", "C1"), ("text", "x"), ("colour", "red")];
    assert!(
        document
            .check_slack(&request("chat.postMessage", &fields))
            .is_err()
    );
}

#[test]
fn responses_are_checked_against_alertmanagers_document() {
    let alert = json!({
        "annotations": {}, "labels": { "alertname": "Down" }, "fingerprint": "1",
        "startsAt": "2026-01-01T00:00:00Z", "endsAt": "2026-01-01T00:00:00Z",
        "updatedAt": "2026-01-01T00:00:00Z", "receivers": [{ "name": "default" }],
        "status": { "state": "active", "silencedBy": [], "inhibitedBy": [], "mutedBy": [] },
    });
    let mut wrong = alert.clone();
    wrong["status"]["state"] = json!("burning");
    assert_eq!(minimum::check_alerts_answer(&json!([alert])), Ok(()));
    assert!(minimum::check_alerts_answer(&json!([wrong])).is_err());
    let Some(document) = Document::load("alertmanager-api-v2.yaml").unwrap() else {
        return;
    };
    assert_eq!(
        document.check_answer("GET", "/alerts", 200, &json!([alert])),
        Ok(())
    );
    assert!(
        document
            .check_answer("GET", "/alerts", 200, &json!([wrong]))
            .is_err()
    );
    assert!(
        document
            .check_answer("GET", "/alerts", 418, &json!([]))
            .is_err()
    );
}

#[test]
fn responses_are_checked_against_pagerdutys_document() {
    let good = json!({ "status": "success", "message": "Event processed", "dedup_key": "k" });
    assert_eq!(minimum::check_enqueue_answer(202, &good), Ok(()));
    assert!(minimum::check_enqueue_answer(202, &json!({})).is_err());
    let Some(document) = Document::load("pagerduty-events-v2.json").unwrap() else {
        return;
    };
    assert_eq!(
        document.check_answer("POST", "/enqueue", 202, &good),
        Ok(())
    );
    let wrong = json!({ "status": 1, "message": "x" });
    assert!(
        document
            .check_answer("POST", "/enqueue", 202, &wrong)
            .is_err()
    );
}

#[test]
fn paths_with_parameters_are_found() {
    assert!(template_fits("/silence/{silenceID}", "/silence/7"));
    assert!(!template_fits("/silence/{silenceID}", "/silence/"));
    assert!(!template_fits("/silence/{silenceID}", "/silences"));
}
