//! Twilio's API: calls and messages, and the requests that it signs.

use crate::{Answered, Asked, Service};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::DateTime;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha1::Sha1;
use std::collections::BTreeMap;

/// The account.
pub const ACCOUNT: &str = "AC0123456789abcdef0123456789abcdef";
/// Its token, with which Twilio also signs.
pub const TOKEN: &str = "0123456789abcdef0123456789abcdee";
/// The account's number.
pub const FROM: &str = "+15551230000";

const TWIML_CHARS_MAX: usize = 4000;
const BODY_CHARS_MAX: usize = 1600;

/// A call or a text message.
#[derive(Clone, Debug, Default)]
pub struct Item {
    pub sid: String,
    pub from: String,
    pub to: String,
    /// A text's, or a call's TwiML.
    pub body: String,
    pub status: String,
    pub direction: String,
    /// RFC 2822.
    pub date: String,
}

/// The service.
#[derive(Clone, Debug, Default)]
pub struct Twilio {
    pub calls: Vec<Item>,
    pub messages: Vec<Item>,
    /// The date of what is created next, in RFC 2822.
    pub now: String,
    /// Numbers that take no texts.
    pub landlines: Vec<String>,
    /// Numbers that the account may not call.
    pub barred: Vec<String>,
    /// Respond to every request with this status.
    pub fault: Option<u16>,
}

impl Service for Twilio {
    fn set_time(&mut self, now_s: u64) {
        let now = i64::try_from(now_s)
            .ok()
            .and_then(|it| DateTime::from_timestamp(it, 0));
        self.now = now.map_or_else(String::new, |it| it.to_rfc2822());
    }

    fn answer(&mut self, asked: &Asked) -> Answered {
        if let Some(status) = self.fault {
            return refused(status, 20_000 + u32::from(status), "a fault");
        }
        if asked.basic() != Some(format!("{ACCOUNT}:{TOKEN}")) {
            return refused(401, 20_003, "Authenticate");
        }
        let account = format!("/2010-04-01/Accounts/{ACCOUNT}");
        let rest = asked.path.strip_prefix(&account);
        let Some(rest) = rest.and_then(|it| it.strip_suffix(".json")) else {
            return refused(404, 20_404, "not found");
        };
        let parts: Vec<&str> = rest.split('/').skip(1).collect();
        match (asked.method.as_str(), &parts[..]) {
            ("GET", []) => Answered::json(200, &json!({"sid": ACCOUNT, "status": "active"})),
            ("POST", ["Calls"]) => self.call(&asked.form()),
            ("POST", ["Messages"]) => self.text(&asked.form()),
            ("POST", ["Calls", sid]) => self.change(sid, &asked.form()),
            ("GET", [what @ ("Calls" | "Messages")]) => self.list(what, asked),
            ("GET", [what @ ("Calls" | "Messages"), sid]) => {
                match self.items(what).iter().find(|it| it.sid == *sid) {
                    Some(item) => Answered::json(200, &item.shown()),
                    None => refused(404, 20_404, "not found"),
                }
            }
            _ => refused(404, 20_404, "not found"),
        }
    }
}

impl Twilio {
    /// A text that a person sends to the account's number.
    pub fn receive(&mut self, from: &str, body: &str) {
        let mut item = self.item("SM", from, FROM, body, self.messages.len() + 100);
        item.direction = "inbound".into();
        item.status = "received".into();
        self.messages.push(item);
    }

    fn call(&mut self, form: &BTreeMap<String, String>) -> Answered {
        if let Err(answered) = check_numbers(form, 21_201) {
            return answered;
        }
        let text = |key: &str| form.get(key).map(String::as_str).unwrap_or_default();
        let twiml = text("Twiml");
        if twiml.is_empty() {
            return refused(400, 21_205, "Url, Twiml or ApplicationSid is required");
        }
        if twiml.chars().count() > TWIML_CHARS_MAX {
            return refused(400, 21_617, "Twiml is too long");
        }
        if self.barred.iter().any(|it| it == text("To")) {
            let why = format!("Account not authorized to call {}", text("To"));
            return refused(400, 21_215, &why);
        }
        if let Err(why) = check_twiml(twiml) {
            return refused(400, 12_100, why);
        }
        if !text("Timeout").parse().is_ok_and(|it: u32| it <= 600) {
            return refused(400, 13_221, "Timeout is invalid");
        }
        let item = self.item("CA", text("From"), text("To"), twiml, self.calls.len());
        self.calls.push(item.clone());
        Answered::json(201, &item.shown())
    }

    fn text(&mut self, form: &BTreeMap<String, String>) -> Answered {
        if let Err(answered) = check_numbers(form, 21_604) {
            return answered;
        }
        let text = |key: &str| form.get(key).map(String::as_str).unwrap_or_default();
        match text("Body").chars().count() {
            0 => return refused(400, 21_602, "Message body is required"),
            long if long > BODY_CHARS_MAX => {
                return refused(
                    400,
                    21_617,
                    "The message body exceeds the 1600 character limit",
                );
            }
            _ => {}
        }
        if self.landlines.iter().any(|it| it == text("To")) {
            let why = format!("To number: {}, is not a mobile number", text("To"));
            return refused(400, 21_614, &why);
        }
        let (from, to) = (text("From"), text("To"));
        let item = self.item("SM", from, to, text("Body"), self.messages.len());
        self.messages.push(item.clone());
        Answered::json(201, &item.shown())
    }

    fn change(&mut self, sid: &str, form: &BTreeMap<String, String>) -> Answered {
        let Some(call) = self.calls.iter_mut().find(|it| it.sid == sid) else {
            return refused(404, 20_404, "not found");
        };
        let is_over = !["queued", "ringing", "in-progress"].contains(&call.status.as_str());
        match form.get("Status").map(String::as_str) {
            _ if is_over => refused(400, 21_220, "Invalid call state"),
            Some("completed") => {
                call.status = "completed".into();
                Answered::json(200, &call.shown())
            }
            _ => refused(400, 21_218, "Invalid Status"),
        }
    }

    fn list(&self, what: &str, asked: &Asked) -> Answered {
        let is = |key: &str, value: &str| asked.query.get(key).is_none_or(|it| it == value);
        let items = self.items(what).iter().rev();
        let items = items.filter(|it| is("From", &it.from) && is("To", &it.to));
        let shown: Vec<Value> = items.map(Item::shown).collect();
        Answered::json(200, &json!({what.to_lowercase(): shown}))
    }

    fn items(&self, what: &str) -> &[Item] {
        if what == "Calls" {
            &self.calls
        } else {
            &self.messages
        }
    }

    fn item(&self, prefix: &str, from: &str, to: &str, body: &str, number: usize) -> Item {
        Item {
            sid: format!("{prefix}{number:032x}"),
            from: from.into(),
            to: to.into(),
            body: body.into(),
            status: "queued".into(),
            direction: "outbound-api".into(),
            date: self.now.clone(),
        }
    }
}

impl Item {
    fn shown(&self) -> Value {
        json!({
            "sid": self.sid, "from": self.from, "to": self.to, "body": self.body,
            "status": self.status, "direction": self.direction, "date_created": self.date,
        })
    }
}

/// The `X-Twilio-Signature` of a request that Twilio posts to `url`: over the URL, and each name
/// and value of the form in the order of the names.
#[must_use]
#[expect(clippy::expect_used, reason = "proven below")]
pub fn signature(url: &str, form: &BTreeMap<String, String>) -> String {
    // proof: HMAC takes keys of any length
    let mut mac = Hmac::<Sha1>::new_from_slice(TOKEN.as_bytes()).expect("any length");
    mac.update(url.as_bytes());
    for (name, value) in form {
        mac.update(name.as_bytes());
        mac.update(value.as_bytes());
    }
    STANDARD.encode(mac.finalize().into_bytes())
}

fn check_numbers(form: &BTreeMap<String, String>, missing: u32) -> Result<(), Answered> {
    let text = |key: &str| form.get(key).map(String::as_str).unwrap_or_default();
    let digits = text("To").strip_prefix('+').unwrap_or_default();
    if text("To").is_empty() {
        return Err(refused(400, missing, "No 'To' number is specified"));
    }
    if digits.len() < 7 || digits.len() > 15 || !digits.bytes().all(|it| it.is_ascii_digit()) {
        return Err(refused(400, 21_211, "Invalid 'To' Phone Number"));
    }
    if text("From") != FROM {
        return Err(refused(
            400,
            21_210,
            "'From' is not a number of your account",
        ));
    }
    Ok(())
}

/// Whether elements are known, closed and in order.
fn check_twiml(twiml: &str) -> Result<(), &'static str> {
    if twiml.contains(|it: char| it.is_control() || matches!(it, '\u{fffe}' | '\u{ffff}')) {
        return Err("a character that XML does not allow");
    }
    let body = twiml.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
    let mut open: Vec<&str> = Vec::new();
    for part in body.unwrap_or(twiml).split('<').skip(1) {
        let (tag, text) = part.split_once('>').ok_or("a tag is not closed")?;
        let name = tag
            .split([' ', '/'])
            .find(|it| !it.is_empty())
            .unwrap_or_default();
        if !["Response", "Gather", "Say", "Pause"].contains(&name) {
            return Err("an unknown element");
        }
        let references = text.matches('&').count();
        let known = ["&amp;", "&lt;", "&gt;", "&quot;", "&apos;"];
        if references
            != known
                .iter()
                .map(|it| text.matches(it).count())
                .sum::<usize>()
        {
            return Err("a bare ampersand");
        }
        if tag.starts_with('/') {
            if open.pop() != Some(name) {
                return Err("elements are closed in the wrong order");
            }
        } else if !tag.ends_with('/') {
            open.push(name);
        }
    }
    if open.is_empty() {
        Ok(())
    } else {
        Err("an element is not closed")
    }
}

fn refused(status: u16, code: u32, why: &str) -> Answered {
    Answered::json(
        status,
        &json!({"code": code, "message": why, "status": status}),
    )
}
