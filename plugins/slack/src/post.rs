//! Posts a message exactly once.
//!
//! Slack has no idempotency keys. So each message carries an effect id in its metadata; the host
//! stores a success under the same id; and if the outcome of an earlier attempt is unknown, the
//! channel's history is searched for the id before anything is sent again.

use crate::api::{self, ApiError};
use crate::blocks::Message;
use tocsin_plugin_sdk::serde_json::{Value, json};
use tocsin_plugin_sdk::types::{Failure, Timestamp};
use tocsin_plugin_sdk::{http, kv};

/// The metadata event type of our messages.
const EVENT_TYPE: &str = "tocsin";
/// Slack's clock and ours may differ, and a message is older than the attempt that searches for it.
const LOOK_BACK_MS: u64 = 600_000;
const HISTORY_PAGES_MAX: usize = 5;
const HISTORY_PAGE: &str = "200";
/// How long an unknown outcome is remembered; the delivery has been given up by then.
const UNSURE_TTL_MS: u64 = 3 * 24 * 3_600_000;

/// A message to post to a channel exactly once.
#[derive(Clone, Debug)]
pub(crate) struct Post<'a> {
    /// The channel's id.
    pub(crate) channel: &'a str,
    /// Identifies this message; the same for every attempt.
    pub(crate) effect: String,
    /// It cannot have been posted before this time.
    pub(crate) since: Timestamp,
    pub(crate) message: Message,
}

impl Post<'_> {
    /// Posts it, or finds it if an earlier attempt posted it. Returns the message's `ts`.
    pub(crate) fn send(&self) -> Result<String, Failure> {
        let mark = format!("unsure:{}", self.effect);
        let mut look_first = kv::get::<bool>(&mark)?.is_some();
        loop {
            if look_first {
                if let Some(ts) = self.find_posted()? {
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
    fn find_posted(&self) -> Result<Option<String>, Failure> {
        let mut found = None;
        each_of_ours(self.channel, self.since, |it| {
            if it.effect == self.effect {
                found = Some(it.ts);
            }
            found.is_some()
        })?;
        // Newest first: if it is not in the newest pages, no recent attempt posted it.
        Ok(found)
    }
}

/// A message of ours in a channel.
#[derive(Clone, Debug)]
pub(crate) struct PostedMessage {
    /// Its id in Slack.
    pub(crate) ts: String,
    pub(crate) effect: String,
    pub(crate) text: String,
}

/// Passes our messages in a channel to `done`, newest first, until it returns true or the newest
/// pages are read.
///
/// # Errors
/// Those of `conversations.history`.
pub(crate) fn each_of_ours(
    channel: &str,
    since: Timestamp,
    mut done: impl FnMut(PostedMessage) -> bool,
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
        for message in messages.into_iter().flatten().filter_map(posted_message) {
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

fn posted_message(message: &Value) -> Option<PostedMessage> {
    let metadata = &message["metadata"];
    if metadata["event_type"] != EVENT_TYPE {
        return None;
    }
    Some(PostedMessage {
        ts: message["ts"].as_str()?.into(),
        effect: metadata["event_payload"]["effect_id"].as_str()?.into(),
        text: message["text"].as_str().unwrap_or_default().into(),
    })
}
