//! An ntfy server: <https://docs.ntfy.sh/publish/>.

use crate::{Answered, Asked, Service};
use serde_json::{Value, json};

/// The token that the server asks for.
pub const TOKEN: &str = "tk_0123456789abcdefghijklmnopqrst";
/// The user and password that the server takes too.
pub const LOGIN: &str = "tocsin:correct horse";

const MESSAGE_BYTES_MAX: usize = 4096;
const ACTIONS_MAX: usize = 3;
const NAME_BYTES_MAX: usize = 64;
const FIELDS: [&str; 8] = [
    "topic",
    "title",
    "message",
    "priority",
    "tags",
    "click",
    "actions",
    "sequence_id",
];

/// The server.
#[derive(Clone, Debug, Default)]
pub struct Ntfy {
    /// Refuse requests without a credential.
    pub is_private: bool,
    /// Published messages, oldest first.
    pub messages: Vec<Value>,
    /// Cleared notifications: topic and sequence id.
    pub cleared: Vec<(String, String)>,
    /// Seconds since the epoch, of the next message.
    pub now_s: u64,
    /// Respond to every request with this status.
    pub fault: Option<u16>,
    /// A server before 2.16, which has no sequence ids.
    pub is_old: bool,
}

impl Service for Ntfy {
    fn set_time(&mut self, now_s: u64) {
        self.now_s = now_s;
    }

    fn answer(&mut self, asked: &Asked) -> Answered {
        if let Some(status) = self.fault {
            return refused(status, status as u32 * 100 + 1, "a fault");
        }
        let is_known = asked.headers.get("authorization").map(String::as_str)
            == Some(&format!("Bearer {TOKEN}"))
            || asked.basic().as_deref() == Some(LOGIN);
        if asked.headers.contains_key("authorization") && !is_known {
            return refused(401, 40_101, "unauthorized");
        }
        if self.is_private && !is_known && asked.path != "/v1/health" {
            return refused(403, 40_301, "forbidden");
        }
        let parts: Vec<&str> = asked.path.trim_matches('/').split('/').collect();
        match (asked.method.as_str(), &parts[..]) {
            ("GET", ["v1", "health"]) => Answered::json(200, &json!({"healthy": true})),
            ("POST", [""]) => self.publish(asked),
            ("POST", [topic]) if is_name(topic) => {
                let text = String::from_utf8_lossy(&asked.body).into_owned();
                self.keep(json!({"topic": topic, "message": text}))
            }
            ("GET", [topic, "json"]) if is_name(topic) => self.poll(topic, asked),
            ("PUT", [topic, id, "clear"]) if !self.is_old && is_name(topic) && is_name(id) => {
                self.cleared.push(((*topic).into(), (*id).into()));
                Answered::json(200, &json!({"event": "message_clear"}))
            }
            _ => refused(404, 40_401, "page not found"),
        }
    }
}

impl Ntfy {
    fn publish(&mut self, asked: &Asked) -> Answered {
        if asked.body.len() > 2 * MESSAGE_BYTES_MAX {
            return refused(413, 41_303, "JSON body too large");
        }
        let Some(message) = asked.json().filter(Value::is_object) else {
            return refused(400, 40_017, "request body must be message JSON");
        };
        let unknown = message.as_object().into_iter().flat_map(|it| it.keys());
        let unknown: Vec<_> = unknown
            .filter(|it| !FIELDS.contains(&it.as_str()))
            .collect();
        assert!(
            unknown.is_empty(),
            "ntfy ignores {unknown:?}, so nobody sees them"
        );
        let text = |key: &str| message[key].as_str().unwrap_or_default();
        if !is_name(text("topic")) {
            return refused(400, 40_009, "topic invalid");
        }
        if !message["priority"].is_null() && !matches!(message["priority"].as_i64(), Some(1..=5)) {
            return refused(400, 40_007, "invalid priority parameter");
        }
        if let Err(why) = check_actions(&message["actions"]) {
            return refused(400, 40_018, &format!("actions invalid: {why}"));
        }
        if !message["sequence_id"].is_null() && !is_name(text("sequence_id")) {
            return refused(400, 40_049, "sequence ID invalid");
        }
        if text("message").len() > MESSAGE_BYTES_MAX {
            // It would become an attachment, which a notification does not show.
            return refused(413, 41_301, "attachment too large");
        }
        self.keep(message)
    }

    fn keep(&mut self, mut message: Value) -> Answered {
        if self.is_old {
            message.as_object_mut().map(|it| it.remove("sequence_id"));
        }
        message["id"] = format!("m{}", self.messages.len()).into();
        message["time"] = self.now_s.into();
        message["event"] = "message".into();
        self.messages.push(message.clone());
        Answered::json(200, &message)
    }

    fn poll(&self, topic: &str, asked: &Asked) -> Answered {
        let since = asked
            .query
            .get("since")
            .and_then(|it| it.parse::<u64>().ok());
        let Some(since) = since.filter(|_| asked.query.get("poll").is_some_and(|it| it == "1"))
        else {
            return refused(400, 40_008, "invalid since parameter");
        };
        let found = self.messages.iter();
        let found = found.filter(|it| it["topic"] == topic && it["time"].as_u64() >= Some(since));
        Answered::text(200, found.map(|it| format!("{it}\n")).collect::<String>())
    }
}

fn check_actions(actions: &Value) -> Result<(), &'static str> {
    let actions = actions.as_array().map(Vec::as_slice).unwrap_or_default();
    if actions.len() > ACTIONS_MAX {
        return Err("only 3 actions allowed");
    }
    for action in actions {
        let has = |key: &str| action[key].as_str().is_some_and(|it| !it.is_empty());
        match action["action"].as_str() {
            Some("view" | "http") if !has("url") => return Err("parameter 'url' is required"),
            Some("view" | "http" | "broadcast") => {}
            _ => return Err("unknown action"),
        }
        if !has("label") {
            return Err("parameter 'label' is required");
        }
    }
    Ok(())
}

/// A topic or a sequence id.
fn is_name(name: &str) -> bool {
    let allowed = |it: u8| it.is_ascii_alphanumeric() || it == b'-' || it == b'_';
    (1..=NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(allowed)
}

fn refused(status: u16, code: u32, why: &str) -> Answered {
    Answered::json(status, &json!({"code": code, "http": status, "error": why}))
}
