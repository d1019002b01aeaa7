//! Services that the recipes of the webhook plugin send to. Sources: Gotify's REST API; Telegram's
//! Bot API, `sendMessage`; Mattermost, "Incoming webhooks"; Discord, "Execute Webhook"; SMS Gateway
//! for Android, local server.

use crate::{Answered, Asked, Service};
use serde_json::{Value, json};

/// The token or password that each service takes.
pub const SECRET: &str = "123456:ABC-DEF_1234";

/// One of the services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Gotify,
    Telegram,
    Mattermost,
    Discord,
    Sms,
}

/// A service, and what it took.
#[derive(Clone, Debug)]
pub struct Chat {
    pub kind: Kind,
    /// Bodies of the accepted requests.
    pub messages: Vec<Value>,
    /// Respond to every request with this status.
    pub fault: Option<u16>,
}

impl Chat {
    #[must_use]
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            messages: Vec::new(),
            fault: None,
        }
    }
}

impl Service for Chat {
    fn answer(&mut self, asked: &Asked) -> Answered {
        if let Some(status) = self.fault {
            return Answered::text(status, "a fault");
        }
        let json = asked
            .headers
            .get("content-type")
            .filter(|it| *it == "application/json");
        let Some(body) = json.and_then(|_| asked.json()).filter(Value::is_object) else {
            return self.refuse(400, "the body is not JSON");
        };
        let path = asked.path.as_str();
        let bearer = asked.headers.get("authorization").map(String::as_str);
        let (is_known, expected_path) = match self.kind {
            Kind::Gotify => (
                bearer == Some(&format!("Bearer {SECRET}")),
                "/message".to_string(),
            ),
            Kind::Telegram => (true, format!("/bot{SECRET}/sendMessage")),
            Kind::Mattermost => (true, format!("/hooks/{SECRET}")),
            Kind::Discord => (true, format!("/api/webhooks/1290000000000000000/{SECRET}")),
            Kind::Sms => (
                asked.basic() == Some(format!("sms:{SECRET}")),
                "/message".into(),
            ),
        };
        if !is_known {
            return self.refuse(401, "wrong credential");
        }
        if self.kind == Kind::Discord && asked.query.get("wait").is_none_or(|it| it != "true") {
            // Nobody would learn that the message was not kept.
            return Answered::text(204, "");
        }
        if asked.method != "POST" || path != expected_path {
            return self.refuse(404, "not found");
        }
        let checked = match self.kind {
            Kind::Gotify => gotify(&body),
            Kind::Telegram => telegram(&body),
            Kind::Mattermost => mattermost(&body),
            Kind::Discord => discord(&body),
            Kind::Sms => sms(&body),
        };
        if let Err(why) = checked {
            return self.refuse(400, why);
        }
        self.messages.push(body);
        match self.kind {
            Kind::Gotify => Answered::json(200, &json!({"id": self.messages.len()})),
            Kind::Telegram => Answered::json(200, &json!({"ok": true, "result": {}})),
            Kind::Mattermost => Answered::text(200, "ok"),
            Kind::Discord => Answered::json(200, &json!({"id": "1"})),
            Kind::Sms => Answered::json(202, &json!({"id": "x", "state": "Pending"})),
        }
    }
}

impl Chat {
    fn refuse(&self, status: u16, why: &str) -> Answered {
        let body = match self.kind {
            Kind::Telegram => json!({"ok": false, "error_code": status, "description": why}),
            Kind::Discord => json!({"code": 50_035, "message": why}),
            _ => json!({"error": why}),
        };
        Answered::json(status, &body)
    }
}

type Checked = Result<(), &'static str>;

fn known(body: &Value, fields: &[&str]) -> Checked {
    let mut names = body.as_object().into_iter().flat_map(|it| it.keys());
    match names.all(|it| fields.contains(&it.as_str())) {
        true => Ok(()),
        false => Err("an unknown field"),
    }
}

fn text(value: &Value, chars_max: usize) -> Checked {
    match value.as_str().map(|it| it.chars().count()) {
        Some(0) => Err("a text is empty"),
        Some(long) if long > chars_max => Err("a text is too long"),
        Some(_) => Ok(()),
        None => Err("a text is missing"),
    }
}

/// As Telegram counts, and the stricter way for those that do not say how they do.
fn text_in_utf16(value: &Value, units_max: usize) -> Checked {
    text(value, units_max)?;
    let units = value.as_str().unwrap_or_default().encode_utf16().count();
    (units <= units_max)
        .then_some(())
        .ok_or("a text is too long")
}

fn url(value: &Value) -> Checked {
    let is_url = |it: &str| it.starts_with("https://") || it.starts_with("http://");
    let is_url = value.as_str().is_some_and(is_url);
    is_url.then_some(()).ok_or("not a URL")
}

fn gotify(body: &Value) -> Checked {
    known(body, &["title", "message", "priority", "extras"])?;
    text(&body["message"], usize::MAX)?;
    text(&body["title"], usize::MAX)?;
    body["priority"]
        .as_i64()
        .ok_or("priority is not a number")?;
    url(&body["extras"]["client::notification"]["click"]["url"])
}

fn telegram(body: &Value) -> Checked {
    let fields = [
        "chat_id",
        "text",
        "disable_notification",
        "link_preview_options",
        "reply_markup",
    ];
    known(body, &fields)?;
    let chat = body["chat_id"]
        .as_str()
        .and_then(|it| it.parse::<i64>().ok());
    chat.ok_or("chat not found")?;
    text_in_utf16(&body["text"], 4096)?;
    body["disable_notification"]
        .as_bool()
        .ok_or("not a boolean")?;
    if let Some(button) = body["reply_markup"]["inline_keyboard"][0].get(0) {
        text(&button["text"], 64)?;
        url(&button["url"])?;
    }
    Ok(())
}

fn mattermost(body: &Value) -> Checked {
    known(body, &["channel", "username", "text", "priority"])?;
    text(&body["text"], 16_383)?;
    let channel = body["channel"].as_str().unwrap_or_default();
    if !channel.starts_with('@') {
        return Err("couldn't find the user");
    }
    match body["priority"]["priority"].as_str() {
        Some("urgent" | "important") => Ok(()),
        _ => Err("unknown priority"),
    }
}

fn discord(body: &Value) -> Checked {
    known(body, &["content", "allowed_mentions", "embeds"])?;
    text_in_utf16(&body["content"], 2000)?;
    let user = body["allowed_mentions"]["users"][0]
        .as_str()
        .unwrap_or_default();
    if !(17..=20).contains(&user.len()) || user.parse::<u64>().is_err() {
        return Err("not a snowflake");
    }
    let embeds = body["embeds"].as_array().ok_or("no embeds")?;
    for embed in embeds {
        known(embed, &["title", "url", "description", "color"])?;
        text(&embed["title"], 256)?;
        text_in_utf16(&embed["description"], 4096)?;
        if !embed["url"].is_null() {
            url(&embed["url"])?;
        }
        let color = embed["color"].as_u64().filter(|it| *it <= 0xFF_FFFF);
        color.ok_or("not a color")?;
    }
    Ok(())
}

fn sms(body: &Value) -> Checked {
    known(body, &["phoneNumbers", "textMessage"])?;
    let number = body["phoneNumbers"][0].as_str().unwrap_or_default();
    let digits = number.strip_prefix('+').unwrap_or_default();
    if !(8..=15).contains(&digits.len()) || !digits.bytes().all(|it| it.is_ascii_digit()) {
        return Err("invalid phone number");
    }
    text(&body["textMessage"]["text"], 1000)
}
