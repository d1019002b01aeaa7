//! Pages by phone call (contact kind `phone`) and text message (`sms`) through Twilio. A question
//! is always a text: nobody is called to be asked whether they are still on it.
//!
//! If Twilio can reach the daemon, a key that is pressed during a call acknowledges. If not, what
//! was pressed cannot be read, so the call comes with a text message: its link acknowledges, and so
//! does a reply, which is polled.
#![forbid(unsafe_code)]

mod api;
mod call;
mod dates;
mod prompt;
mod replies;
mod sms;
#[cfg(test)]
mod tests;
mod twiml;

use serde::{Deserialize, Serialize};
use tocsin_plugin_sdk::serde_json::Value;
use tocsin_plugin_sdk::types::{
    Actor, Delivery, Descriptor, Event, EventBody, Failure, HealthReport, Issue, Outcome, Page,
    Settled, Timestamp, WebhookRequest, WebhookResponse,
};
use tocsin_plugin_sdk::{Plugin, config, export_plugin, pages};

/// The event kinds that are handled; must match the manifest.
const EVENTS: [&str; 4] = ["page", "prompt", "settled", "job"];
/// The contact kinds.
const PHONE: &str = "phone";
const SMS: &str = "sms";

/// What is remembered of a page that was sent.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Sent {
    /// `phone` or `sms`.
    kind: String,
    number: String,
    /// The call's id.
    call: Option<String>,
    /// The text message's id.
    text: Option<String>,
    /// When the text was sent, by Twilio's clock; else when the call was. In milliseconds.
    at: Timestamp,
    /// The answers to a question, in the order of the numbers that choose them.
    #[serde(default)]
    choices: Vec<String>,
    /// Whether it only tests the way to the person.
    #[serde(default)]
    test: bool,
}

impl Sent {
    /// The paged person.
    fn who(&self) -> Actor {
        Actor::by_contact(&self.kind, &self.number)
    }
}

/// The plugin.
#[derive(Debug)]
pub struct Twilio;

export_plugin!(Twilio);

impl Plugin for Twilio {
    fn describe() -> Descriptor {
        Descriptor {
            id: "twilio".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            events: EVENTS.map(Into::into).to_vec(),
        }
    }

    fn check_config(config: &Value) -> Vec<Issue> {
        let mut issues = Vec::new();
        let text = |key: &str| config.get(key).and_then(Value::as_str);
        let mut refuse = |path: &str, message: &str| {
            issues.push(Issue {
                path: path.into(),
                message: message.into(),
            });
        };
        if text("account-sid").is_some_and(|it| !is_account(it)) {
            refuse("account-sid", "must be AC and 32 hexadecimal digits");
        }
        if text("language").is_some_and(|it| !is_language(it)) {
            refuse("language", "must be a language with its region, e.g. en-US");
        }
        if text("from").is_some_and(|it| !is_number(it)) {
            refuse(
                "from",
                "must be a number with its country, e.g. +15551234567",
            );
        }
        let is_base = |it: &str| {
            let host = it
                .strip_prefix("https://")
                .or_else(|| it.strip_prefix("http://"));
            host.is_some_and(|it| !it.is_empty() && !it.contains(['/', '?', '#']))
        };
        if text("public-url").is_some_and(|it| !is_base(it)) {
            refuse(
                "public-url",
                "must be the same as public-url of [server], e.g. https://tocsin.example.com",
            );
        }
        let ring = config.get("ring-s").and_then(Value::as_i64);
        if ring.is_some_and(|it| !(10..=120).contains(&it)) {
            refuse("ring-s", "must be 10 to 120 seconds");
        }
        issues
    }

    fn on_event(event: Event, _: &Delivery) -> Result<Outcome, Failure> {
        match &event.body {
            EventBody::Page(page) => send(page, event.at),
            EventBody::Prompt(prompt) => prompt::send(prompt, event.at),
            EventBody::Settled(settled) => hang_up(settled),
            EventBody::Job(job) if job.topic == replies::TOPIC => replies::read(),
            _ => Ok(Outcome::Ignored),
        }
    }

    fn on_webhook(request: WebhookRequest) -> Result<WebhookResponse, Failure> {
        match request.route.as_str() {
            "gather" => call::pressed(&request),
            "sms" => replies::received(&request),
            _ => Ok(WebhookResponse::new(404)),
        }
    }

    fn health() -> HealthReport {
        match api::account_status() {
            Ok(status) if status == "active" => HealthReport::Ok,
            Ok(status) => HealthReport::Failing(format!("the account is {status}")),
            Err(Failure::Retry(hint)) => HealthReport::Degraded(hint.reason),
            Err(Failure::Permanent(why) | Failure::Misconfigured(why)) => {
                HealthReport::Failing(why)
            }
        }
    }
}

fn send(page: &Page, at: Timestamp) -> Result<Outcome, Failure> {
    if pages::is_over(page)? {
        return Ok(Outcome::Ignored);
    }
    let (kind, number) = contact(page)?;
    if kind == PHONE {
        call::call(page, &number, at)
    } else {
        sms::text(page, &number, at)
    }
}

/// Where a page goes: the kind of the contact, and its number.
fn contact(page: &Page) -> Result<(String, String), Failure> {
    let found = page.contact(&[PHONE, SMS]).filter(|it| is_number(&it.1));
    found.ok_or_else(|| {
        let id = &page.to.id;
        Failure::Permanent(format!("{id} has no phone number such as +15551234567"))
    })
}

/// Ends the calls of pages that are over, unless the person is just hearing that it worked.
fn hang_up(settled: &Settled) -> Result<Outcome, Failure> {
    let over = pages::settle::<Sent>(&settled.id)?;
    if over.is_empty() {
        return Ok(Outcome::Ignored);
    }
    for it in over {
        let is_listening = it.sent.text.is_none() && call::was_pressed(&it.page)?;
        if let Some(call) = it.sent.call.as_ref().filter(|_| !is_listening) {
            api::end_call(call)?;
        }
        pages::forget(&it.page)?;
    }
    Ok(Outcome::Done)
}

/// The daemon's URL for Twilio, if it has one.
fn public_url() -> Option<String> {
    let url = config::get("public-url").filter(|it| !it.is_empty())?;
    Some(url.trim_end_matches('/').into())
}

fn is_account(sid: &str) -> bool {
    let digits = sid.strip_prefix("AC").unwrap_or_default();
    digits.len() == 32 && digits.bytes().all(|it| it.is_ascii_hexdigit())
}

/// `en-US`, `cmn-Hans-CN`, `arb`.
fn is_language(text: &str) -> bool {
    let is_part = |it: &str, max: usize| {
        (2..=max).contains(&it.len()) && it.bytes().all(|it| it.is_ascii_alphanumeric())
    };
    let mut parts = text.split('-');
    parts.next().is_some_and(|it| is_part(it, 3)) && parts.all(|it| is_part(it, 4))
}

/// E.164.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or_default();
    (7..=15).contains(&digits.len())
        && !digits.starts_with('0')
        && digits.bytes().all(|it| it.is_ascii_digit())
}
