//! `chat.*`, `pins.*` and reading messages. Like Slack, this removes no duplicates, so that tests
//! detect a client that sends a message twice.

use serde_json::{Value, json};

use super::super::message::Message;
use super::super::params::Params;
use super::super::workspace::{BOT, Channel, Seen, Workspace};
use super::{Answer, page, page_end};

const TEXT_CHARS_MAX: usize = 40_000;
const BLOCKS_MAX: usize = 50;
const SECTION_CHARS_MAX: usize = 3_000;
const BUTTON_CHARS_MAX: usize = 75;
const BUTTON_VALUE_CHARS_MAX: usize = 2_000;
const HISTORY_MAX: usize = 999;

pub(super) fn post(workspace: &mut Workspace, params: &Params, seen: &mut Vec<Seen>) -> Answer {
    let index = destination(workspace, params.text("channel"))?;
    let channel = &workspace.channels[index];
    if channel.archived {
        return Err("is_archived");
    }
    if !channel.members.iter().any(|it| it == BOT) {
        return Err("not_in_channel");
    }
    let thread_ts = params.get("thread_ts").map(str::to_owned);
    if thread_ts
        .as_ref()
        .is_some_and(|it| find(channel, it).is_err())
    {
        return Err("thread_not_found");
    }
    let (text, blocks) = content(params)?;
    let metadata = metadata(params)?;
    let ts = workspace.next_ts();
    let message = Message {
        ts,
        thread_ts,
        text,
        blocks,
        metadata,
        edits: 0,
        pinned: false,
    };
    let channel = &mut workspace.channels[index];
    channel.messages.push(message.clone());
    let place = workspace.place(&workspace.channels[index]);
    let answer = json!({
        "channel": workspace.channels[index].id, "ts": message.ts, "message": shown(&message, true),
    });
    seen.push(Seen::Posted { place, message });
    Ok(answer)
}

/// An ephemeral message, which only one member sees; it is not stored.
pub(super) fn post_ephemeral(
    workspace: &mut Workspace,
    params: &Params,
    seen: &mut Vec<Seen>,
) -> Answer {
    let index = workspace.index(params.text("channel"))?;
    let (text, _) = content(params)?;
    let user = params.text("user").to_owned();
    if !workspace.channels[index].members.contains(&user) {
        return Err("user_not_in_channel");
    }
    let member = workspace
        .member(&user)
        .map(|it| it.name.clone())
        .unwrap_or_default();
    let place = workspace.place(&workspace.channels[index]);
    seen.push(Seen::PostedEphemeral {
        place,
        member,
        text,
    });
    Ok(json!({ "message_ts": workspace.next_ts() }))
}

pub(super) fn update(workspace: &mut Workspace, params: &Params, seen: &mut Vec<Seen>) -> Answer {
    let index = workspace.index(params.text("channel"))?;
    let (text, blocks) = content(params)?;
    let metadata = metadata(params)?;
    let at = find(&workspace.channels[index], params.text("ts"))?;
    let message = &mut workspace.channels[index].messages[at];
    message.text = text;
    message.blocks = blocks;
    message.metadata = metadata.or(message.metadata.take());
    message.edits += 1;
    let message = message.clone();
    let place = workspace.place(&workspace.channels[index]);
    let answer = json!({
        "channel": params.text("channel"), "ts": message.ts, "text": message.text,
        "message": shown(&message, true),
    });
    seen.push(Seen::Edited { place, message });
    Ok(answer)
}

pub(super) fn pin(workspace: &mut Workspace, params: &Params, _: &mut Vec<Seen>) -> Answer {
    let index = workspace.index(params.text("channel"))?;
    let at = find(&workspace.channels[index], params.text("timestamp"))?;
    let message = &mut workspace.channels[index].messages[at];
    if message.pinned {
        return Err("already_pinned");
    }
    message.pinned = true;
    Ok(json!({}))
}

pub(super) fn history(workspace: &mut Workspace, params: &Params, _: &mut Vec<Seen>) -> Answer {
    let index = workspace.index(params.text("channel"))?;
    let top = |it: &Message| it.thread_ts.is_none();
    let all = workspace.channels[index]
        .messages
        .iter()
        .filter(|it| top(it));
    part(all.rev().collect(), params)
}

pub(super) fn replies(workspace: &mut Workspace, params: &Params, _: &mut Vec<Seen>) -> Answer {
    let index = workspace.index(params.text("channel"))?;
    let ts = params.text("ts");
    find(&workspace.channels[index], ts).map_err(|_| "thread_not_found")?;
    let inside = |it: &Message| it.ts == ts || it.thread_ts.as_deref() == Some(ts);
    part(
        workspace.channels[index]
            .messages
            .iter()
            .filter(|it| inside(it))
            .collect(),
        params,
    )
}

/// The part of a list of messages that the parameters select.
fn part(all: Vec<&Message>, params: &Params) -> Answer {
    let (start, limit) = page(params, HISTORY_MAX)?;
    let inclusive = params.yes("inclusive");
    let after = |it: &Message| match params.get("oldest") {
        Some(oldest) => *it.ts > *oldest || inclusive && it.ts == oldest,
        None => true,
    };
    let before = |it: &Message| match params.get("latest") {
        Some(latest) => *it.ts < *latest || inclusive && it.ts == latest,
        None => true,
    };
    let all: Vec<&Message> = all
        .into_iter()
        .filter(|it| after(it) && before(it))
        .collect();
    let with_metadata = params.yes("include_all_metadata");
    let list: Vec<Value> = all
        .iter()
        .skip(start)
        .take(limit)
        .map(|it| shown(it, with_metadata))
        .collect();
    let next = Some(start + limit).filter(|next| *next < all.len());
    Ok(json!({
        "messages": list, "has_more": next.is_some(), "response_metadata": page_end(next),
    }))
}

/// The channel to write to: by its id, by `#name`, or a member's id for a direct message.
fn destination(workspace: &mut Workspace, to: &str) -> Result<usize, &'static str> {
    if workspace.member(to).is_some() {
        let id = workspace.open_direct(&[to.to_owned()]).0.id.clone();
        return workspace.index(&id);
    }
    let name = to.strip_prefix('#').unwrap_or(to);
    let named = workspace
        .channels
        .iter()
        .position(|it| !it.name.is_empty() && it.name == name);
    named.map_or_else(|| workspace.index(to), Ok)
}

fn find(channel: &Channel, ts: &str) -> Result<usize, &'static str> {
    channel
        .messages
        .iter()
        .position(|it| it.ts == ts)
        .ok_or("message_not_found")
}

/// Text and blocks, validated like Slack does.
fn content(params: &Params) -> Result<(String, Value), &'static str> {
    let text = params.text("text").to_owned();
    if text.chars().count() > TEXT_CHARS_MAX {
        return Err("msg_too_long");
    }
    let Some(blocks) = params.get("blocks") else {
        let empty = text.is_empty() && params.get("attachments").is_none();
        return if empty {
            Err("no_text")
        } else {
            Ok((text, json!([])))
        };
    };
    let blocks: Value = serde_json::from_str(blocks).map_err(|_| "invalid_blocks_format")?;
    let list = blocks.as_array().ok_or("invalid_blocks_format")?;
    if list.len() > BLOCKS_MAX || !list.iter().all(block_is_sound) {
        return Err("invalid_blocks");
    }
    Ok((text, blocks))
}

/// Checks the limits of <https://docs.slack.dev/reference/block-kit/blocks> that apply to messages.
fn block_is_sound(block: &Value) -> bool {
    let elements = block["elements"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let text_fits = |value: &Value, most: usize| {
        value
            .as_str()
            .is_some_and(|it| !it.is_empty() && it.chars().count() <= most)
    };
    match block["type"].as_str() {
        Some("section") => {
            let fields = block["fields"]
                .as_array()
                .map(Vec::as_slice)
                .unwrap_or_default();
            let own = text_fits(&block["text"]["text"], SECTION_CHARS_MAX);
            (own || block["text"].is_null() && !fields.is_empty())
                && fields.len() <= 10
                && fields.iter().all(|it| text_fits(&it["text"], 2_000))
        }
        Some("header") => text_fits(&block["text"]["text"], 150),
        Some("context") => !elements.is_empty() && elements.len() <= 10,
        Some("actions") => {
            let fits = |it: &Value| it["type"] != "button" || button_is_sound(it);
            !elements.is_empty() && elements.len() <= 25 && elements.iter().all(fits)
        }
        Some("divider") => true,
        _ => false,
    }
}

fn button_is_sound(button: &Value) -> bool {
    let label = button["text"]["text"].as_str().unwrap_or_default();
    let value = button["value"].as_str().unwrap_or_default();
    let style = &button["style"];
    button["text"]["type"] == "plain_text"
        && !label.is_empty()
        && label.chars().count() <= BUTTON_CHARS_MAX
        && value.chars().count() <= BUTTON_VALUE_CHARS_MAX
        && (style.is_null() || style == "primary" || style == "danger")
}

fn metadata(params: &Params) -> Result<Option<Value>, &'static str> {
    let Some(text) = params.get("metadata") else {
        return Ok(None);
    };
    let value: Value = serde_json::from_str(text).map_err(|_| "invalid_metadata_format")?;
    let sound = value["event_type"].is_string() && value["event_payload"].is_object();
    if sound {
        Ok(Some(value))
    } else {
        Err("invalid_metadata_schema")
    }
}

fn shown(message: &Message, with_metadata: bool) -> Value {
    let mut value = json!({
        "type": "message", "user": BOT, "bot_id": "B0TOCSIN", "ts": message.ts,
        "text": message.text, "blocks": message.blocks,
    });
    if let Some(thread) = &message.thread_ts {
        value["thread_ts"] = json!(thread);
    }
    if let (true, Some(metadata)) = (with_metadata, &message.metadata) {
        value["metadata"] = metadata.clone();
    }
    value
}
