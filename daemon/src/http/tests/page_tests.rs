//! Tests of the way to a person, without channels: what arrives is played by scenarios.

use std::path::Path;

use serde_json::{Value, json};
use tocsin_core::limits::TESTS_PER_HOUR_MAX;
use tocsin_core::time::{HOUR_MS, MINUTE_MS};
use tocsin_core::{Contact, PersonId, TestId};

use super::rig::{Answer, NOW, Rig, request};
use crate::auth::{AckTarget, Scope};
use crate::runtime::state::tables::proof::proven_at;

const PATH: &str = "/api/v1/page-tests";
const CONFIG: &str = r#"
[policy]
path = "no-such-folder"

[mail]
host = "127.0.0.1"
port = 1
from = "tocsin@example.com"

[escalation]
fallback = ["person:ada"]

[people.ada]
name = "Ada"
contacts = [
    { kind = "slack", address = "U1" },
    { kind = "email", address = "ada@example.com" },
]

[people.bob]
name = "Bob"
"#;

async fn rig() -> Rig {
    Rig::new(CONFIG, Path::new("/nowhere")).await
}

async fn begin(rig: &Rig, order: &Value) -> Answer {
    let bob = rig.person(Scope::Respond, "bob").await;
    rig.post(PATH, &bob, order).await
}

fn link(rig: &Rig, test: &Value) -> String {
    let test = TestId::parse(test["id"].as_str().unwrap()).unwrap();
    let to = test.person.clone();
    let link = rig
        .app
        .ack_links
        .link(AckTarget::Test { test }, &to, "mail", NOW);
    link[link.find("/ack/").unwrap()..].to_owned()
}

fn proven(rig: &Rig) -> bool {
    let contact = Contact {
        kind: "email".to_owned(),
        address: "ada@example.com".to_owned(),
    };
    let store = rig.store.as_ref();
    proven_at(store, &PersonId::from("ada"), &contact, NOW)
        .unwrap()
        .is_some()
}

#[tokio::test]
async fn every_contact_is_tested_and_what_nothing_delivers_fails_with_the_remedy() {
    let rig = rig().await;
    let list = begin(&rig, &json!({ "person": "ada" }))
        .await
        .is(200)
        .json();
    let [mail, slack] = [&list["tests"][0], &list["tests"][1]];
    assert_eq!(
        (&mail["channel"], &mail["state"], &mail["by"]),
        (&json!("mail"), &json!("queued"), &json!("bob"))
    );
    assert_eq!(
        (&slack["channel"], &slack["state"]),
        (&json!("slack"), &json!("failed"))
    );
    assert_eq!(
        slack["fault"],
        "nothing delivers to contacts of kind `slack`"
    );
    assert_eq!(
        (&mail["address"], &slack["address"]),
        (&json!("ad…om"), &json!("U…")),
        "whoever may respond need not know where others can be reached"
    );
    let remedy = slack["remedy"].as_str().unwrap();
    assert!(remedy.contains("[people.ada]"), "{remedy}");
    assert_eq!(rig.open_incidents(), 0, "a test is no incident");
    let bob = rig.person(Scope::Respond, "bob").await;
    let shown = rig.get(&format!("{PATH}?person=ada"), &bob).await.is(200);
    assert_eq!(shown.json()["tests"], list["tests"]);
}

#[tokio::test]
async fn the_link_of_a_test_shows_that_it_is_one_and_a_press_proves_the_contact() {
    let rig = rig().await;
    let order = json!({ "person": "ada", "channel": "email" });
    let list = begin(&rig, &order).await.is(200).json();
    assert_eq!(list["tests"].as_array().unwrap().len(), 1);
    let path = link(&rig, &list["tests"][0]);
    let page = rig.get(&path, "").await.is(200);
    for part in [
        "only tests the way to you",
        "nothing is wrong",
        "<form method=\"post\">",
    ] {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
    assert!(!proven(&rig), "GET changes nothing");
    let pressed = rig
        .ask(request("POST", &path, "", Vec::new()))
        .await
        .is(200);
    assert!(
        pressed.text.contains("proven for 90 days"),
        "{}",
        pressed.text
    );
    assert!(proven(&rig));
    let bob = rig.person(Scope::Respond, "bob").await;
    let another = rig.another().await;
    let shown = another.get(&format!("{PATH}?person=ada"), &bob).await;
    let test = shown.is(200).json()["tests"][0].clone();
    assert_eq!(
        (&test["state"], &test["remedy"]),
        (&json!("pressed"), &Value::Null)
    );
    assert_eq!(test["accepted_at"], test["pressed_at"]);
    let page = rig.get(&path, "").await.is(200);
    assert!(
        !page.text.contains("<form"),
        "no button is left: {}",
        page.text
    );
}

#[tokio::test]
async fn a_contact_has_one_open_test_and_a_person_gets_a_limited_number_within_an_hour() {
    let rig = rig().await;
    let order = json!({ "person": "ada", "channel": "mail" });
    let first = begin(&rig, &order).await.is(200).json();
    let again = begin(&rig, &order).await.is(200).json();
    assert_eq!(first["tests"], again["tests"], "the open one goes on");
    for _ in 1..TESTS_PER_HOUR_MAX {
        let list = begin(&rig, &order).await.is(200).json();
        let path = link(&rig, &list["tests"][0]);
        rig.ask(request("POST", &path, "", Vec::new()))
            .await
            .is(200);
    }
    begin(&rig, &order).await.is(200);
    let last = rig.app.intake.tests_of(&"ada".into()).unwrap();
    rig.clock.set(NOW.plus_ms(10 * MINUTE_MS));
    let refused = begin(&rig, &order).await.is(422);
    assert!(refused.text.contains("within an hour"), "{}", refused.text);
    rig.clock.set(NOW.plus_ms(HOUR_MS));
    let list = begin(&rig, &order).await.is(200).json();
    let id = TestId::parse(list["tests"][0]["id"].as_str().unwrap()).unwrap();
    assert!(
        last.iter().all(|it| it.0 < id),
        "numbers are never used again"
    );
}

#[tokio::test]
async fn a_repeated_request_begins_nothing_and_a_wrong_one_says_what_is_wrong() {
    let rig = rig().await;
    let bob = rig.person(Scope::Respond, "bob").await;
    let with_key = || {
        let body = json!({ "person": "ada", "channel": "mail" }).to_string();
        let mut request = request("POST", PATH, &bob, body.into_bytes());
        let key = "once".parse().unwrap();
        request.headers_mut().insert("idempotency-key", key);
        request
    };
    let first = rig.ask(with_key()).await.is(200).json();
    let path = link(&rig, &first["tests"][0]);
    rig.ask(request("POST", &path, "", Vec::new()))
        .await
        .is(200);
    let again = rig.ask(with_key()).await.is(200).json();
    assert_eq!(
        (&first["repeated"], &again["repeated"]),
        (&json!(false), &json!(true))
    );
    assert_eq!(first["tests"][0]["id"], again["tests"][0]["id"]);
    for (order, status, part) in [
        (json!({ "person": "eve" }), 404, "use one of ada, bob"),
        (json!({ "person": "bob" }), 422, "bob has no contacts"),
        (
            json!({ "person": "ada", "channel": "ntfy" }),
            422,
            "they have mail, slack",
        ),
        (json!({ "person": "ada", "chanel": "ntfy" }), 400, "chanel"),
    ] {
        let answer = begin(&rig, &order).await.is(status);
        assert!(answer.text.contains(part), "{part}: {}", answer.text);
    }
    let reader = rig.token(Scope::Read).await;
    rig.post(PATH, &reader, &json!({ "person": "ada" }))
        .await
        .is(403);
}
