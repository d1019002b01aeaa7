//! Presses that arrive in a topic, for a daemon that phones cannot reach: a button publishes the
//! page's token, and a job reads the topic while a page needs an answer.

use crate::message::KIND;
use crate::{Sent, server};
use std::fmt::Write as _;
use tocsin_plugin_sdk::serde_json::{Value, json};
use tocsin_plugin_sdk::types::{Actor, Failure, Outcome, Receipt};
use tocsin_plugin_sdk::{clock, commands, config, jobs, kv, log, pages};

/// The job's topic, and its deduplication key: one job reads for all pages.
pub(crate) const TOPIC: &str = "answers";
/// How often the topic is read: a press counts within this time, in milliseconds.
const EVERY_MS: u64 = 10_000;
const TOKEN_BYTES: u32 = 16;
/// How long a page's token is remembered; the page is over by then.
const TTL_MS: u64 = 7 * 24 * 3_600_000;

/// The topic, if one is configured.
pub(crate) fn topic() -> Option<String> {
    config::get("answer-topic").filter(|it| !it.is_empty())
}

/// What a button publishes, of a page or of one item of it, which a look at the other does not
/// tell; the same for every attempt to send it.
pub(crate) fn token(id: &str) -> Result<String, Failure> {
    let key = format!("token:{id}");
    if let Some(known) = kv::get::<String>(&key)? {
        return Ok(known.value);
    }
    let mut token = String::new();
    for byte in clock::random_bytes(TOKEN_BYTES) {
        // Writing to a string cannot fail.
        let _ = write!(token, "{byte:02x}");
    }
    kv::set(&key, &token, Some(TTL_MS))?;
    Ok(token)
}

/// Enqueues the job that reads the topic.
pub(crate) fn read_later() -> Result<(), Failure> {
    jobs::enqueue_after(EVERY_MS, TOPIC, &json!({}), Some(TOPIC)).map(drop)
}

/// Reads the topic, acknowledges what was pressed, and reads again later while a page needs an
/// answer.
pub(crate) fn read() -> Result<Outcome, Failure> {
    let waiting = pages::all_waiting::<Sent>()?;
    let waiting: Vec<_> = waiting
        .into_iter()
        .filter(|(_, it)| !it.buttons.is_empty())
        .collect();
    let (Some(topic), Some(oldest)) = (topic(), waiting.iter().map(|(_, it)| it.at).min()) else {
        return Ok(Outcome::Done);
    };
    match server::messages(&topic, oldest) {
        Ok(messages) => {
            for message in &messages {
                let token = message["message"].as_str().unwrap_or_default().trim();
                let found = waiting
                    .iter()
                    .find(|(_, it)| it.buttons.contains_key(token));
                if let Some((page, sent)) = found
                    && let Err(error) = press(page, sent, &sent.buttons[token], message)
                {
                    // It is tried again the next time, and does not hold up the others.
                    let why = format!("{error:?}");
                    log::warn(
                        "a press does not acknowledge",
                        &[("page", page), ("why", &why)],
                    );
                }
            }
        }
        // Whatever it is, a later reading may succeed; the page's next contact is rung meanwhile.
        Err(error) => log::warn(
            "cannot read the answer topic",
            &[("why", &format!("{error:?}"))],
        ),
    }
    read_later()?;
    Ok(Outcome::Done)
}

/// One press, once: the topic keeps it for hours. `named`: the page, an item of it, or an answer.
fn press(page: &str, sent: &Sent, named: &str, message: &Value) -> Result<(), Failure> {
    let id = message["id"].as_str().unwrap_or_default();
    let by = Actor::by_contact(KIND, &sent.address);
    if sent.is_question {
        let answered = pages::once(&format!("answer:{id}"), || {
            commands::answer(page, named, &by)
        });
        return answered.map(drop);
    }
    let item = (named != page).then_some(named);
    pages::report(page, Receipt::Pressed, Some(&by));
    let acknowledged = pages::once(&format!("acknowledge:{id}"), || {
        commands::acknowledge(page, item, &by)
    });
    acknowledged.map(drop)
}
