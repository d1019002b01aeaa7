//! Posting a message so that it stands there once.
//!
//! Slack has no idempotency keys. So each message carries an effect id in its metadata; the host
//! remembers a success under the same id; and when it is unsure whether an earlier try was carried
//! out, the channel's history is searched for the id before anything is sent again.

use crate::api::{self, ApiError};
use crate::blocks::Message;
use tocsin_plugin_sdk::serde_json::{Value, json};
use tocsin_plugin_sdk::types::{Failure, Timestamp};
use tocsin_plugin_sdk::{http, kv};

/// What the metadata of our messages is called.
const EVENT_TYPE: &str = "tocsin";
/// Slack's clock and ours may differ, and a message is older than the try that looks for it.
const LOOK_BACK_MS: u64 = 600_000;
const HISTORY_PAGES_MAX: usize = 5;
const HISTORY_PAGE: &str = "200";
/// How long an unsure outcome is remembered; deliveries are dead by then.
const UNSURE_TTL_MS: u64 = 3 * 24 * 3_600_000;

/// A message that shall stand in a channel once.
#[derive(Clone, Debug)]
pub(crate) struct Post<'a> {
    /// The channel's id.
    pub(crate) channel: &'a str,
    /// Tells this message from every other; the same for every try.
    pub(crate) effect: String,
    /// Before this time it cannot have been posted.
    pub(crate) since: Timestamp,
    /// What it says.
    pub(crate) message: Message,
}

impl Post<'_> {
    /// Posts it, or finds it where an earlier try posted it. Answers the message's `ts`.
    pub(crate) fn send(&self) -> Result<String, Failure> {
        let mark = format!("unsure:{}", self.effect);
        let mut look_first = kv::get::<bool>(&mark)?.is_some();
        loop {
            if look_first {
                if let Some(ts) = self.look()? {
                    return Ok(ts);
                }
                http::forget(&self.effect);
            }
            match self.try_once() {
                Ok(ts) => return Ok(ts),
                Err(ApiError::Lost) if !look_first => look_first = true,
                Err(error) => {
                    if matches!(error, ApiError::Unsure(_)) {
                        kv::set(&mark, &true, Some(UNSURE_TTL_MS))?;
                    }
                    return Err(error.into_failure("chat.postMessage"));
                }
            }
        }
    }

    fn try_once(&self) -> Result<String, ApiError> {
        let metadata =
            json!({"event_type": EVENT_TYPE, "event_payload": {"effect_id": self.effect}});
        let metadata = metadata.to_string();
        let blocks = Value::from(self.message.blocks.clone()).to_string();
        let mut params = vec![
            ("channel", self.channel),
            ("text", self.message.text.as_str()),
            ("metadata", metadata.as_str()),
            ("unfurl_links", "false"),
        ];
        if !self.message.blocks.is_empty() {
            params.push(("blocks", blocks.as_str()));
        }
        let answer = api::post("chat.postMessage", &params, Some(&self.effect))?;
        Ok(answer["ts"].as_str().unwrap_or_default().to_string())
    }

    /// Searches the channel's history for this message.
    fn look(&self) -> Result<Option<String>, Failure> {
        let mut found = None;
        each_of_ours(self.channel, self.since, |it| {
            if it.effect == self.effect {
                found = Some(it.ts);
            }
            found.is_some()
        })?;
        // Newest first: what is not in the newest pages was not posted by a recent try.
        Ok(found)
    }
}

/// A message of ours that stands in a channel.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    /// Its name in Slack.
    pub(crate) ts: String,
    pub(crate) effect: String,
    /// What it says.
    pub(crate) text: String,
}

/// Our messages in a channel, newest first, until `done` says so or the newest pages are read.
///
/// # Errors
/// Those of `conversations.history`.
pub(crate) fn each_of_ours(
    channel: &str,
    since: Timestamp,
    mut done: impl FnMut(Standing) -> bool,
) -> Result<(), Failure> {
    let oldest = format!("{}.000000", since.saturating_sub(LOOK_BACK_MS) / 1000);
    let mut cursor = String::new();
    for _ in 0..HISTORY_PAGES_MAX {
        let mut params = vec![
            ("channel", channel),
            ("oldest", oldest.as_str()),
            ("limit", HISTORY_PAGE),
            ("include_all_metadata", "true"),
        ];
        if !cursor.is_empty() {
            params.push(("cursor", cursor.as_str()));
        }
        let answer = api::get("conversations.history", &params)
            .map_err(|error| error.into_failure("conversations.history"))?;
        let messages = answer["messages"].as_array();
        for message in messages.into_iter().flatten().filter_map(standing) {
            if done(message) {
                return Ok(());
            }
        }
        let next = answer["response_metadata"]["next_cursor"]
            .as_str()
            .unwrap_or_default();
        if next.is_empty() {
            break;
        }
        cursor = next.to_string();
    }
    Ok(())
}

fn standing(message: &Value) -> Option<Standing> {
    let metadata = &message["metadata"];
    if metadata["event_type"] != EVENT_TYPE {
        return None;
    }
    Some(Standing {
        ts: message["ts"].as_str()?.into(),
        effect: metadata["event_payload"]["effect_id"].as_str()?.into(),
        text: message["text"].as_str().unwrap_or_default().into(),
    })
}
