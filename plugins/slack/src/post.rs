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
const HISTORY_PAGE: &str = "100";
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
        let oldest = format!("{}.000000", self.since.saturating_sub(LOOK_BACK_MS) / 1000);
        let mut cursor = String::new();
        for _ in 0..HISTORY_PAGES_MAX {
            let mut params = vec![
                ("channel", self.channel),
                ("oldest", oldest.as_str()),
                ("limit", HISTORY_PAGE),
                ("include_all_metadata", "true"),
            ];
            if !cursor.is_empty() {
                params.push(("cursor", cursor.as_str()));
            }
            let answer = api::get("conversations.history", &params)
                .map_err(|error| error.into_failure("conversations.history"))?;
            if let Some(ts) = find(&answer, &self.effect) {
                return Ok(Some(ts));
            }
            let next = answer["response_metadata"]["next_cursor"]
                .as_str()
                .unwrap_or_default();
            if next.is_empty() {
                return Ok(None);
            }
            cursor = next.to_string();
        }
        // Newest first: what is not in the newest pages was not posted by a recent try.
        Ok(None)
    }
}

fn find(history: &Value, effect: &str) -> Option<String> {
    let messages = history["messages"].as_array()?;
    let ours = messages.iter().find(|it| {
        let metadata = &it["metadata"];
        metadata["event_type"] == EVENT_TYPE && metadata["event_payload"]["effect_id"] == effect
    })?;
    Some(ours["ts"].as_str()?.to_string())
}
