//! An ntfy server.

use crate::expect;
use serde_json::{Value, json};
use tocsin_standins::Asked;
use tocsin_standins::ntfy::{LOGIN, Ntfy, TOKEN};

fn message() -> Value {
    json!({
        "topic": "ada-x7Kq", "title": "t", "message": "m", "priority": 5, "tags": ["warning"],
        "click": "https://wiki.example", "sequence_id": "p-1",
        "actions": [{"action": "http", "label": "Acknowledge", "url": "https://tocsin.example"}],
    })
}

fn publish(message: &Value) -> Asked {
    let mut asked = Asked::new("POST", "https://ntfy.example/");
    asked.body = message.to_string().into();
    asked
}

#[test]
fn ntfy_refuses_wrong_fields_and_what_is_too_long() {
    let action = |changed: Value| {
        let mut action = json!({"action": "http", "label": "l", "url": "https://u.example"});
        action
            .as_object_mut()
            .unwrap()
            .extend(changed.as_object().unwrap().clone());
        json!([action])
    };
    let view = json!({"action": "view", "label": "l", "url": "https://u.example"});
    let cases = [
        ("topic", json!("a/b"), (400, "topic invalid")),
        ("topic", json!("x".repeat(65)), (400, "topic invalid")),
        ("priority", json!(6), (400, "priority")),
        ("priority", json!("high"), (400, "priority")),
        ("actions", json!([view, view, view, view]), (400, "only 3")),
        ("actions", action(json!({"url": ""})), (400, "'url'")),
        ("actions", action(json!({"label": ""})), (400, "'label'")),
        (
            "actions",
            action(json!({"action": "call"})),
            (400, "unknown action"),
        ),
        ("sequence_id", json!("p/1"), (400, "sequence ID")),
        ("message", json!("x".repeat(4097)), (413, "too large")),
        ("title", json!("x".repeat(8200)), (413, "too large")),
    ];
    let mut ntfy = Ntfy::default();
    for (field, value, want) in cases {
        let mut message = message();
        message[field] = value;
        expect(&mut ntfy, &publish(&message), want, field);
    }
    let mut text = publish(&message());
    text.body = b"no JSON".into();
    expect(&mut ntfy, &text, (400, "JSON"), "text");
    assert_eq!(ntfy.messages, [json!(null); 0]);
    expect(&mut ntfy, &publish(&message()), (200, "m0"), "accepted");
}

#[test]
#[should_panic(expected = "nobody sees them")]
fn a_field_that_ntfy_ignores_is_a_fault_of_the_plugin() {
    use tocsin_standins::Service as _;
    let mut message = message();
    message["sound"] = "siren".into();
    Ntfy::default().answer(&publish(&message));
}

#[test]
fn ntfy_refuses_wrong_credentials_and_unknown_paths() {
    let mut private = Ntfy {
        is_private: true,
        ..Ntfy::default()
    };
    let mut asked = publish(&message());
    expect(&mut private, &asked, (403, "forbidden"), "none");
    asked.set_header("authorization", "Bearer tk_wrong");
    expect(&mut private, &asked, (401, "unauthorized"), "wrong token");
    expect(
        &mut Ntfy::default(),
        &asked,
        (401, "unauthorized"),
        "wrong token, open server",
    );
    asked.set_basic("tocsin:wrong");
    expect(
        &mut private,
        &asked,
        (401, "unauthorized"),
        "wrong password",
    );
    asked.set_basic(LOGIN);
    expect(&mut private, &asked, (200, "m0"), "password");
    asked.set_header("authorization", &format!("Bearer {TOKEN}"));
    expect(&mut private, &asked, (200, "m1"), "token");

    let mut old = Ntfy {
        is_old: true,
        ..Ntfy::default()
    };
    let clear = Asked::new("PUT", "https://ntfy.example/ada/p-1/clear");
    expect(
        &mut old,
        &clear,
        (404, "not found"),
        "an old server clears nothing",
    );
    expect(
        &mut Ntfy::default(),
        &clear,
        (200, "message_clear"),
        "a newer one does",
    );
    let read = Asked::new(
        "GET",
        "https://ntfy.example/ada/json?poll=1&since=yesterday",
    );
    expect(&mut Ntfy::default(), &read, (400, "since"), "since");
}
