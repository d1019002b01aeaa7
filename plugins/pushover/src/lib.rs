//! Pages by Pushover. A critical or major one has emergency priority: it sounds again and again,
//! on a silent iPhone too, until somebody acknowledges it in the app, which counts here.
#![forbid(unsafe_code)]

mod api;
mod message;
mod prompt;
mod receipts;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use tocsin_plugin_sdk::serde_json::Value;
use tocsin_plugin_sdk::types::{
    Delivery, Descriptor, Event, EventBody, Failure, HealthReport, Issue, Outcome, Page, Settled,
};
use tocsin_plugin_sdk::{Plugin, export_plugin, pages};

/// The event kinds that are handled; must match the manifest.
const EVENTS: [&str; 4] = ["page", "prompt", "settled", "job"];
/// Pushover's limits, in seconds.
const RETRY_S_MIN: i64 = 30;
const EXPIRE_S_MAX: i64 = 10_800;

/// What is remembered of a page that sounds until it is acknowledged.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Sent {
    receipt: String,
    /// The user or group key, as configured.
    address: String,
}

/// The plugin.
#[derive(Debug)]
pub struct Pushover;

export_plugin!(Pushover);

impl Plugin for Pushover {
    fn describe() -> Descriptor {
        Descriptor {
            id: "pushover".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            events: EVENTS.map(Into::into).to_vec(),
        }
    }

    fn check_config(config: &Value) -> Vec<Issue> {
        let mut issues = Vec::new();
        let number = |key: &str| config.get(key).and_then(Value::as_i64);
        let mut allow = |key: &str, range: std::ops::RangeInclusive<i64>, why: &str| {
            if number(key).is_some_and(|it| !range.contains(&it)) {
                issues.push(Issue {
                    path: key.into(),
                    message: why.into(),
                });
            }
        };
        let why = "must be 30 to 10800 seconds: Pushover repeats no faster";
        allow("retry-s", RETRY_S_MIN..=EXPIRE_S_MAX, why);
        let why = "must be 30 to 10800 seconds: Pushover goes on for three hours at most";
        allow("expire-s", RETRY_S_MIN..=EXPIRE_S_MAX, why);
        let why = "must be -2 to 1: only critical and major pages sound until acknowledged";
        allow("priority-minor", -2..=1, why);
        issues
    }

    fn on_event(event: Event, _: &Delivery) -> Result<Outcome, Failure> {
        match &event.body {
            EventBody::Page(page) => send(page),
            EventBody::Prompt(prompt) => prompt::send(prompt),
            EventBody::Settled(settled) => cancel(settled),
            EventBody::Job(job) if job.topic == receipts::TOPIC => receipts::read(),
            _ => Ok(Outcome::Ignored),
        }
    }

    fn health() -> HealthReport {
        match api::messages_left() {
            Ok(Some(0)) => HealthReport::Failing("the month's messages are used up".into()),
            Ok(_) => HealthReport::Ok,
            Err(Failure::Retry(hint)) => HealthReport::Degraded(hint.reason),
            Err(Failure::Permanent(why) | Failure::Misconfigured(why)) => {
                HealthReport::Failing(why)
            }
        }
    }
}

fn send(page: &Page) -> Result<Outcome, Failure> {
    if pages::is_over(page)? {
        return Ok(Outcome::Ignored);
    }
    let address = message::address(page)?;
    let message = message::message(page, &address);
    let Some(receipt) = api::send(&message)? else {
        return Ok(Outcome::Done);
    };
    let sent = Sent { receipt, address };
    if pages::remember(page, &sent)? {
        receipts::read_later()?;
    } else {
        cancel_one(&page.id, &sent)?;
    }
    Ok(Outcome::Done)
}

fn cancel(settled: &Settled) -> Result<Outcome, Failure> {
    let over = pages::settle::<Sent>(&settled.id)?;
    if over.is_empty() {
        return Ok(Outcome::Ignored);
    }
    for it in over {
        cancel_one(&it.page, &it.sent)?;
    }
    Ok(Outcome::Done)
}

/// Stops the sound.
fn cancel_one(page: &str, sent: &Sent) -> Result<(), Failure> {
    api::cancel(&sent.receipt)?;
    pages::forget(page)
}
