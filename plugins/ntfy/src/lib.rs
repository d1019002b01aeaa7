//! Pages by ntfy: a notification of high priority with a button that acknowledges. A question is an
//! ordinary one, with a button for each answer.
//!
//! A message carries a sequence id made of the page's id. So a message whose outcome is unknown is
//! looked for in its topic, and if it is sent again, the phone replaces the first one.
#![forbid(unsafe_code)]

mod answers;
mod message;
mod prompt;
mod server;
#[cfg(test)]
mod tests;

use message::{Answer, Contact};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tocsin_plugin_sdk::serde_json::Value;
use tocsin_plugin_sdk::types::{
    Delivery, Descriptor, Event, EventBody, Failure, HealthReport, Issue, Outcome, Page, Prompt,
    Settled, Timestamp,
};
use tocsin_plugin_sdk::{Plugin, config, export_plugin, pages};

/// The event kinds that are handled; must match the manifest.
const EVENTS: [&str; 4] = ["page", "prompt", "settled", "job"];

/// What is remembered of a page or a question that was sent.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Sent {
    topic: String,
    /// The contact's address, as configured.
    address: String,
    /// When it was sent, by the server's clock, as presses are. In milliseconds.
    at: Timestamp,
    /// What the buttons publish to the answer topic, with the page, the item or the answer that
    /// each means.
    buttons: BTreeMap<String, String>,
    #[serde(default)]
    is_question: bool,
}

/// The plugin.
#[derive(Debug)]
pub struct Ntfy;

export_plugin!(Ntfy);

impl Plugin for Ntfy {
    fn describe() -> Descriptor {
        Descriptor {
            id: "ntfy".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            events: EVENTS.map(Into::into).to_vec(),
        }
    }

    fn check_config(config: &Value) -> Vec<Issue> {
        let mut issues = Vec::new();
        let mut refuse = |path: &str, message: &str| {
            issues.push(Issue {
                path: path.into(),
                message: message.into(),
            });
        };
        let text = |key: &str| config.get(key).and_then(Value::as_str);
        if text("base-url").is_some_and(|it| !message::is_server(it)) {
            let why = "must be the server without a path, e.g. https://ntfy.sh: ntfy takes JSON \
                       only there";
            refuse("base-url", why);
        }
        if text("answer-topic").is_some_and(|it| !message::is_topic(it)) {
            let why = "must be a topic: 1 to 64 letters, digits, `-` and `_`";
            refuse("answer-topic", why);
        }
        for key in ["priority-critical", "priority-major", "priority-minor"] {
            let priority = config.get(key).and_then(Value::as_i64);
            if priority.is_some_and(|it| !(1..=5).contains(&it)) {
                refuse(key, "must be 1 (min) to 5 (max)");
            }
        }
        let has_user = text("user").is_some_and(|it| !it.is_empty());
        match (has_user, self::config::has_secret("password")) {
            (true, false) => refuse("user", "has no password: set the secret `password`"),
            (false, true) => refuse("user", "is missing: whose is the secret `password`?"),
            _ => {}
        }
        issues
    }

    fn on_event(event: Event, _: &Delivery) -> Result<Outcome, Failure> {
        match &event.body {
            EventBody::Page(page) => send(page, None, event.at),
            EventBody::Prompt(prompt) => send(&prompt.message, Some(prompt), event.at),
            EventBody::Settled(settled) => clear(settled),
            EventBody::Job(job) if job.topic == answers::TOPIC => answers::read(),
            _ => Ok(Outcome::Ignored),
        }
    }

    fn health() -> HealthReport {
        match server::health() {
            Ok(()) => HealthReport::Ok,
            Err(Failure::Retry(hint)) => HealthReport::Degraded(hint.reason),
            Err(Failure::Permanent(why) | Failure::Misconfigured(why)) => {
                HealthReport::Failing(why)
            }
        }
    }
}

/// Sends a page, or a question with its message.
fn send(page: &Page, prompt: Option<&Prompt>, at: Timestamp) -> Result<Outcome, Failure> {
    if pages::is_over(page)? {
        return Ok(Outcome::Ignored);
    }
    let contact = Contact::of(page, &server::base_url())?;
    let mut buttons = BTreeMap::new();
    let mut token = |id: &str, means: &str| -> Result<String, Failure> {
        let token = answers::token(id)?;
        buttons.insert(token.clone(), means.into());
        Ok(token)
    };
    let answers = answers::topic().map(|it| format!("{}/{it}", server::base_url()));
    let message = match (prompt, answers) {
        (Some(prompt), answers) => {
            prompt::message(prompt, &contact.topic, answers.as_deref(), &mut token)?
        }
        (None, Some(url)) if page.ack_url.is_some() => {
            let first = page.items.first().map(|it| token(&it.id, &it.id));
            let answer = Answer::Topic {
                url,
                first: first.transpose()?.unwrap_or_default(),
                all: token(&page.id, &page.id)?,
            };
            message::message(page, &contact.topic, &answer)
        }
        (None, _) => message::message(page, &contact.topic, &Answer::Link),
    };
    let at = server::publish(&message, at)?;
    let sent = Sent {
        topic: contact.topic,
        address: contact.address,
        at,
        buttons,
        is_question: prompt.is_some(),
    };
    if !pages::remember(page, &sent)? {
        clear_one(&page.id, &sent.topic)?;
    } else if !sent.buttons.is_empty() {
        answers::read_later()?;
    }
    Ok(Outcome::Done)
}

fn clear(settled: &Settled) -> Result<Outcome, Failure> {
    let over = pages::settle::<Sent>(&settled.id)?;
    if over.is_empty() {
        return Ok(Outcome::Ignored);
    }
    for it in over {
        clear_one(&it.page, &it.sent.topic)?;
    }
    Ok(Outcome::Done)
}

fn clear_one(page: &str, topic: &str) -> Result<(), Failure> {
    server::clear(topic, &message::sequence_id(page))?;
    pages::forget(page)
}
