//! The services of the webhook plugin's recipes.

use crate::expect;
use serde_json::{Value, json};
use tocsin_standins::chat::{Chat, Kind, SECRET};
use tocsin_standins::{Asked, Service as _};

const KINDS: [Kind; 5] = [
    Kind::Gotify,
    Kind::Telegram,
    Kind::Mattermost,
    Kind::Discord,
    Kind::Sms,
];

fn message(kind: Kind) -> Value {
    let url = "https://tocsin.example/ack/p";
    match kind {
        Kind::Gotify => json!({
            "title": "t", "message": "m", "priority": 8,
            "extras": {"client::notification": {"click": {"url": url}}},
        }),
        Kind::Telegram => json!({
            "chat_id": "123456789", "text": "t", "disable_notification": false,
            "reply_markup": {"inline_keyboard": [[{"text": "Acknowledge", "url": url}]]},
        }),
        Kind::Mattermost => json!({
            "channel": "@ada", "username": "tocsin", "text": "t",
            "priority": {"priority": "urgent"},
        }),
        Kind::Discord => json!({
            "content": "c", "allowed_mentions": {"users": ["290926798626357999"]},
            "embeds": [{"title": "t", "url": url, "description": "d", "color": 1}],
        }),
        Kind::Sms => json!({"phoneNumbers": ["+15551234567"], "textMessage": {"text": "t"}}),
    }
}

/// A request that carries the secret where the service expects it.
fn post(kind: Kind, message: &Value, secret: &str) -> Asked {
    let path = match kind {
        Kind::Gotify | Kind::Sms => "/message".into(),
        Kind::Telegram => format!("/bot{secret}/sendMessage"),
        Kind::Mattermost => format!("/hooks/{secret}"),
        Kind::Discord => format!("/api/webhooks/1290000000000000000/{secret}?wait=true"),
    };
    let mut asked = Asked::new("POST", &path);
    match kind {
        Kind::Gotify => asked.set_header("authorization", &format!("Bearer {secret}")),
        Kind::Sms => asked.set_basic(&format!("sms:{secret}")),
        _ => {}
    }
    asked.set_header("content-type", "application/json");
    asked.body = message.to_string().into();
    asked
}

#[test]
fn each_service_refuses_wrong_fields_and_what_is_too_long() {
    let long = |chars: usize| json!("x".repeat(chars));
    let cases = [
        (Kind::Gotify, "/message", json!(""), "empty"),
        (Kind::Gotify, "/priority", json!("high"), "priority"),
        (
            Kind::Gotify,
            "/extras/client::notification/click/url",
            json!("ftp://x"),
            "URL",
        ),
        (Kind::Telegram, "/chat_id", json!("@ada"), "chat not found"),
        (Kind::Telegram, "/text", long(4097), "too long"),
        (Kind::Telegram, "/text", json!(null), "missing"),
        (
            Kind::Telegram,
            "/disable_notification",
            json!("no"),
            "boolean",
        ),
        (
            Kind::Telegram,
            "/reply_markup/inline_keyboard/0/0/url",
            json!("ack"),
            "URL",
        ),
        (Kind::Mattermost, "/channel", json!("ada"), "user"),
        (Kind::Mattermost, "/text", long(16_384), "too long"),
        (
            Kind::Mattermost,
            "/priority/priority",
            json!("loud"),
            "priority",
        ),
        (Kind::Discord, "/content", long(2001), "too long"),
        (
            Kind::Discord,
            "/allowed_mentions/users/0",
            json!("ada"),
            "snowflake",
        ),
        (
            Kind::Discord,
            "/embeds/0/description",
            long(4097),
            "too long",
        ),
        (
            Kind::Discord,
            "/embeds/0/color",
            json!(0x0100_0000),
            "color",
        ),
        (
            Kind::Sms,
            "/phoneNumbers/0",
            json!("5551234567"),
            "phone number",
        ),
        (Kind::Sms, "/textMessage/text", long(1001), "too long"),
        // Each of them counts as two.
        (
            Kind::Telegram,
            "/text",
            json!("\u{1F525}".repeat(2049)),
            "too long",
        ),
    ];
    for (kind, place, value, word) in cases {
        let mut message = message(kind);
        *message.pointer_mut(place).unwrap() = value;
        let asked = post(kind, &message, SECRET);
        let case = format!("{kind:?} {place}");
        expect(&mut Chat::new(kind), &asked, (400, word), &case);
    }
}

#[test]
fn each_service_refuses_wrong_credentials_unknown_fields_and_what_is_no_json() {
    for kind in KINDS {
        let case = format!("{kind:?}");
        let mut chat = Chat::new(kind);
        let forged = chat.answer(&post(kind, &message(kind), "wrong"));
        assert!(
            matches!(forged.status, 401 | 404),
            "{case}: {}",
            forged.status
        );
        let mut odd = message(kind);
        odd["sound"] = "siren".into();
        expect(
            &mut chat,
            &post(kind, &odd, SECRET),
            (400, "unknown field"),
            &case,
        );
        let mut form = post(kind, &message(kind), SECRET);
        form.set_header("content-type", "application/x-www-form-urlencoded");
        expect(&mut chat, &form, (400, "not JSON"), &case);
        assert!(chat.messages.is_empty(), "{case}");
        let accepted = chat.answer(&post(kind, &message(kind), SECRET));
        assert!(
            (200..300).contains(&accepted.status),
            "{case}: {}",
            accepted.body
        );
    }
}
