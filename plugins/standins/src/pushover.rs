//! Pushover's API: <https://pushover.net/api>.

use crate::{Answered, Asked, Service};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The application's token.
pub const TOKEN: &str = "azGDORePK8gMaC0QOYAMyEEuzJnyUi";
/// Known user keys: Ada's and Bob's.
pub const USERS: [&str; 2] = [
    "uQiRzpo4DXghDmr9QzzfQu27cmVRsG",
    "ubobzpo4DXghDmr9QzzfQu27cmVRsG",
];

const TITLE_CHARS_MAX: usize = 250;
const MESSAGE_CHARS_MAX: usize = 1024;
const URL_CHARS_MAX: usize = 512;
const URL_TITLE_CHARS_MAX: usize = 100;
/// How often a receipt may be read, in seconds.
const READ_EVERY_S: u64 = 5;

/// The service.
#[derive(Clone, Debug)]
pub struct Pushover {
    /// Accepted messages, oldest first.
    pub messages: Vec<BTreeMap<String, String>>,
    /// Receipts of messages with emergency priority, by message.
    pub receipts: BTreeMap<String, Receipt>,
    /// Messages left this month.
    pub left: u64,
    /// Seconds since the epoch; 0 for no clock.
    pub now_s: u64,
    /// Respond to every request with this status.
    pub fault: Option<u16>,
}

/// What became of a message with emergency priority.
#[derive(Clone, Debug, Default)]
pub struct Receipt {
    /// Whose message it is of.
    pub user: String,
    pub tag: String,
    pub acknowledged_by: Option<String>,
    pub last_delivered_at: u64,
    pub is_expired: bool,
    pub is_canceled: bool,
    /// Whether it was stopped by its tag, because it may be sent again.
    pub is_replaced: bool,
    /// How often it was read.
    pub reads: u32,
    /// When it was read last, in seconds; 0 if never, or if there is no clock.
    pub read_at_s: u64,
}

impl Default for Pushover {
    fn default() -> Self {
        Self {
            messages: Vec::new(),
            receipts: BTreeMap::new(),
            left: 10_000,
            now_s: 0,
            fault: None,
        }
    }
}

impl Service for Pushover {
    fn set_time(&mut self, now_s: u64) {
        self.now_s = now_s;
    }

    fn answer(&mut self, asked: &Asked) -> Answered {
        if let Some(status) = self.fault {
            return Answered::text(status, "a fault");
        }
        let form = asked.form();
        let given = match asked.method.as_str() {
            "GET" => asked.query.get("token"),
            _ => form.get("token"),
        };
        if given.map(String::as_str) != Some(TOKEN) {
            let errors = json!(["application token is invalid"]);
            let body = json!({"token": "invalid", "errors": errors, "status": 0, "request": "r"});
            return Answered::json(400, &body);
        }
        let parts: Vec<&str> = asked.path.trim_matches('/').split('/').collect();
        match (asked.method.as_str(), &parts[..]) {
            ("POST", ["1", "messages.json"]) => self.send(form),
            ("POST", ["1", "receipts", "cancel_by_tag", tag]) => {
                let tag = tag.trim_end_matches(".json");
                let all = self.receipts.values_mut();
                let ours: Vec<_> = all.filter(|it| it.tag == tag && !it.is_canceled).collect();
                let canceled = ours.len();
                for it in ours {
                    (it.is_canceled, it.is_replaced) = (true, true);
                }
                Answered::json(
                    200,
                    &json!({"status": 1, "request": "r", "canceled": canceled}),
                )
            }
            ("POST", ["1", "receipts", receipt, "cancel.json"]) => {
                match self.receipts.get_mut(*receipt) {
                    Some(found) => {
                        found.is_canceled = true;
                        Answered::json(200, &json!({"status": 1, "request": "r"}))
                    }
                    None => refused("receipt", "receipt not found; may be invalid or expired"),
                }
            }
            ("GET", ["1", "receipts", receipt]) => self.read(receipt.trim_end_matches(".json")),
            ("GET", ["1", "apps", "limits.json"]) => {
                let body = json!({"limit": 10_000, "remaining": self.left, "status": 1});
                Answered::json(200, &body)
            }
            _ => Answered::json(404, &json!({"status": 0, "errors": ["not found"]})),
        }
    }
}

impl Pushover {
    fn send(&mut self, mut form: BTreeMap<String, String>) -> Answered {
        form.remove("token");
        let text = |key: &str| form.get(key).map(String::as_str).unwrap_or_default();
        let long = |key: &str, max: usize| text(key).chars().count() > max;
        let number = |key: &str| text(key).parse::<i64>().ok();
        if text("message").is_empty() {
            return refused("message", "message cannot be blank");
        }
        if !USERS.contains(&text("user")) {
            return refused(
                "user",
                "user identifier is not a valid user, group, or subscribed user key",
            );
        }
        for (key, max) in [
            ("message", MESSAGE_CHARS_MAX),
            ("title", TITLE_CHARS_MAX),
            ("url", URL_CHARS_MAX),
            ("url_title", URL_TITLE_CHARS_MAX),
        ] {
            if long(key, max) {
                return refused(key, &format!("{key} is too long"));
            }
        }
        if !matches!(number("priority"), Some(-2..=2)) {
            return refused("priority", "priority is invalid");
        }
        let is_emergency = number("priority") == Some(2);
        if is_emergency && number("retry").is_none_or(|it| it < 30) {
            return refused(
                "retry",
                "retry must be supplied with priority=2, at least 30",
            );
        }
        if is_emergency && number("expire").is_none_or(|it| !(1..=10_800).contains(&it)) {
            return refused(
                "expire",
                "expire must be supplied with priority=2, at most 10800",
            );
        }
        if self.left == 0 {
            let errors = json!(["application message limit reached"]);
            return Answered::json(429, &json!({"status": 0, "errors": errors}));
        }
        self.left -= 1;
        let mut answer = json!({"status": 1, "request": "r"});
        if is_emergency {
            let receipt = format!("rLqVuqTRh62UzxtmqiaLzQmVcPgi{:02}", self.receipts.len());
            let made = Receipt {
                user: text("user").into(),
                tag: text("tags").into(),
                ..Receipt::default()
            };
            self.receipts.insert(receipt.clone(), made);
            answer["receipt"] = receipt.into();
        }
        self.messages.push(form);
        Answered::json(200, &answer)
    }

    fn read(&mut self, receipt: &str) -> Answered {
        let Some(found) = self.receipts.get_mut(receipt) else {
            return refused("receipt", "receipt not found; may be invalid or expired");
        };
        let is_soon = found.read_at_s > 0 && self.now_s < found.read_at_s + READ_EVERY_S;
        if is_soon {
            let errors = json!(["a receipt may be read once in 5 seconds"]);
            return Answered::json(429, &json!({"status": 0, "errors": errors}));
        }
        found.reads += 1;
        found.read_at_s = self.now_s;
        let body = json!({
            "status": 1,
            "acknowledged": u8::from(found.acknowledged_by.is_some()),
            "acknowledged_at": 0,
            "acknowledged_by": found.acknowledged_by,
            "acknowledged_by_device": "phone",
            "last_delivered_at": found.last_delivered_at,
            "expired": u8::from(found.is_expired),
            "expires_at": 0,
            "called_back": 0,
            "called_back_at": 0,
        });
        Answered::json(200, &body)
    }
}

fn refused(field: &str, why: &str) -> Answered {
    let mut body: Value = json!({"status": 0, "request": "r", "errors": [why]});
    body[field] = "invalid".into();
    Answered::json(400, &body)
}
