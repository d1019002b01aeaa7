//! Posts a message exactly once.
//!
//! Slack has no idempotency keys. So each message carries an effect id in its metadata; the host
//! stores a success under the same id; and if the outcome of an earlier attempt is unknown, the
//! channel's history is searched for the id before anything is sent again.

use crate::api::{self, ApiError};
use crate::blocks::Message;
use tocsin_plugin_sdk::serde_json::{Value, json};
use tocsin_plugin_sdk::types::{Failure, Timestamp};
use tocsin_plugin_sdk::{http, kv, log};

/// The methods that read a channel's messages, and those of a thread.
pub(crate) const HISTORY: &str = "conversations.history";
const REPLIES: &str = "conversations.replies";
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
    /// The message in whose thread it goes, and is shown in the channel too; none for the channel
    /// alone.
    thread: Option<&'a str>,
    /// Whether another delivery may have posted it.
    is_doubted: bool,
}

impl<'a> Post<'a> {
    pub(crate) fn new(
        channel: &'a str,
        effect: String,
        since: Timestamp,
        message: Message,
    ) -> Self {
        Post {
            channel,
            effect,
            since,
            message,
            thread: None,
            is_doubted: false,
        }
    }

    /// Posts it in the thread of a message, and shows it in the channel too.
    pub(crate) fn in_thread(mut self, ts: &'a str) -> Self {
        self.thread = Some(ts);
        self
    }

    /// Looks for it before it is posted, if another delivery may have posted it: the host keeps
    /// what a delivery did only for that delivery's own retries.
    pub(crate) fn doubted(mut self, is_doubted: bool) -> Self {
        self.is_doubted = is_doubted;
        self
    }

    /// Posts it, or finds it if an earlier attempt posted it. Returns the message's `ts`.
    pub(crate) fn send(&self) -> Result<String, Failure> {
        self.try_send()
            .map_err(|error| error.into_failure("chat.postMessage"))
    }

    /// As [`send`](Self::send), with Slack's refusal.
    pub(crate) fn try_send(&self) -> Result<String, ApiError> {
        let mark = format!("unsure:{}", self.effect);
        let is_unsure = kv::get::<bool>(&mark).map_err(ApiError::NotDone)?.is_some();
        let mut look_first = self.is_doubted || is_unsure;
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
                        kv::set(&mark, &true, Some(UNSURE_TTL_MS)).map_err(ApiError::NotDone)?;
                    }
                    return Err(error);
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
        if let Some(ts) = self.thread {
            params.push(("thread_ts", ts));
            params.push(("reply_broadcast", "true"));
        }
        let answer = api::post("chat.postMessage", &params, Some(&self.effect))?;
        Ok(answer["ts"].as_str().unwrap_or_default().to_string())
    }

    /// Searches the channel's history, or the thread, for this message.
    fn find_posted(&self) -> Result<Option<String>, ApiError> {
        let mut found = None;
        let is_it = |it: PostedMessage| {
            if it.effect == self.effect {
                found = Some(it.ts);
            }
            found.is_some()
        };
        let (method, read) = match self.thread {
            // A thread of ours has few messages.
            Some(ts) => (REPLIES, each_reply(self.channel, ts, is_it)),
            // Newest first: if it is not in the newest pages, no recent attempt posted it.
            None => (HISTORY, each_of_ours(self.channel, self.since, is_it)),
        };
        match read {
            Ok(()) => Ok(found),
            Err(error) if error.is_gone() => Err(error),
            Err(error) => Err(ApiError::NotDone(error.into_failure(method))),
        }
    }
}

/// Replaces the text and the blocks of a message of ours. One that was deleted or is too old to
/// edit is left alone.
///
/// # Errors
/// Those that a retry or the operator can fix.
pub(crate) fn edit(channel: &str, ts: &str, message: &Message) -> Result<(), Failure> {
    let blocks = Value::from(message.blocks.clone()).to_string();
    let params = [
        ("channel", channel),
        ("ts", ts),
        ("text", message.text.as_str()),
        ("blocks", blocks.as_str()),
    ];
    match api::post("chat.update", &params, None) {
        Ok(_) => Ok(()),
        Err(error) => match error.into_failure("chat.update") {
            Failure::Permanent(why) => {
                log::warn(&why, &[]);
                Ok(())
            }
            other => Err(other),
        },
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
    done: impl FnMut(PostedMessage) -> bool,
) -> Result<(), ApiError> {
    let oldest = format!("{}.000000", since.saturating_sub(LOOK_BACK_MS) / 1000);
    let which = [("channel", channel), ("oldest", oldest.as_str())];
    each_listed(HISTORY, which, done)
}

/// As [`each_of_ours`], of the thread of a message, oldest first.
fn each_reply(
    channel: &str,
    ts: &str,
    done: impl FnMut(PostedMessage) -> bool,
) -> Result<(), ApiError> {
    each_listed(REPLIES, [("channel", channel), ("ts", ts)], done)
}

fn each_listed(
    method: &str,
    which: [(&str, &str); 2],
    mut done: impl FnMut(PostedMessage) -> bool,
) -> Result<(), ApiError> {
    let mut cursor = String::new();
    for _ in 0..HISTORY_PAGES_MAX {
        let mut params = which.to_vec();
        params.push(("limit", HISTORY_PAGE));
        params.push(("include_all_metadata", "true"));
        if !cursor.is_empty() {
            params.push(("cursor", cursor.as_str()));
        }
        let answer = api::get(method, &params)?;
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
