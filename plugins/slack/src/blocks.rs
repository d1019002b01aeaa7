//! Messages as Slack Block Kit JSON.

mod changes;
mod help;
mod page;
mod summary;

use crate::text;
use tocsin_plugin_sdk::serde_json::{Value, json};
use tocsin_plugin_sdk::types::{Choice, Prompt, Update};

pub(crate) use changes::{JUDGE, suspects};
pub(crate) use help::{JOIN, help};
pub(crate) use page::{page, with_note};
pub(crate) use summary::summary;

/// The action id of the button that acknowledges everything that a message names.
pub(crate) const ACK: &str = "ack";
/// Prefix of the action id of a button that acknowledges one incident of several.
pub(crate) const ACK_ITEM: &str = "ack:";
/// Prefix of a choice's action id. Action ids must be unique within a message.
pub(crate) const ANSWER: &str = "answer:";

/// Slack refuses an actions block with more buttons.
const BUTTONS_MAX: usize = 25;
const BUTTON_CHARS_MAX: usize = 75;

/// A message's text for notifications and its blocks for the channel.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Message {
    /// Plain text for notifications and screen readers.
    pub(crate) text: String,
    /// The blocks; none for a single line.
    pub(crate) blocks: Vec<Value>,
}

impl Message {
    pub(crate) fn line(text: String) -> Self {
        Message {
            text,
            blocks: Vec::new(),
        }
    }

    /// A text as a block, to replace other blocks.
    pub(crate) fn block(text: &str) -> Self {
        Message {
            text: text.into(),
            blocks: vec![section(text)],
        }
    }

    /// The same message with a note in place of its buttons.
    pub(crate) fn settled(text: &str, note: &str) -> Self {
        let blocks = vec![section(text), context(note)];
        Message {
            text: format!("{text}\n{note}"),
            blocks,
        }
    }
}

/// A question with a button for each choice, then what it is about.
pub(crate) fn prompt(prompt: &Prompt) -> Message {
    let total = prompt.message.items.len() + prompt.message.others.len();
    let mut asked = format!(
        "{}\n{}",
        page::summary(&prompt.message),
        text::escape(&prompt.otherwise)
    );
    if total > 1 {
        asked.push_str(&format!(" One answer counts for all {total} incidents."));
    }
    let choices = prompt.choices.iter().take(BUTTONS_MAX);
    let buttons: Vec<Value> = choices.map(|it| choice(&prompt.message.id, it)).collect();
    let mut blocks = vec![section(&asked)];
    if !buttons.is_empty() {
        blocks.push(json!({"type": "actions", "elements": buttons}));
    }
    blocks.extend(page::about(&prompt.message));
    Message {
        text: page::notification(&prompt.message),
        blocks,
    }
}

/// The spokesperson's update for an audience, with the time of the next one.
pub(crate) fn update(update: &Update) -> Message {
    let incident = &update.incident;
    let mut shown = incident.clone();
    if let Some(title) = &incident.public_title {
        shown.title = title.clone();
        // The code name stands for it: what kind of incident it is, is not for everybody.
        shown.security = false;
    }
    let headline = text::headline(&shown);
    let body = text::from_markdown(&update.body);
    let promise = match update.next_update_at {
        Some(at) => format!("Next update by {}", text::moment(at)),
        None => format!("Final update: the incident is {}", incident.status.as_str()),
    };
    let facts = format!("{promise} · from {}", text::actor(&update.author));
    let blocks = vec![section(&format!("{headline}\n{body}")), context(&facts)];
    Message {
        text: format!("{headline}\n{body}\n{promise}"),
        blocks,
    }
}

fn choice(prompt_id: &str, choice: &Choice) -> Value {
    let value = json!({"prompt": prompt_id, "choice": choice.id});
    let style = choice.danger.then_some("danger");
    button(
        &format!("{ANSWER}{}", choice.id),
        &choice.label,
        &value.to_string(),
        style,
    )
}

fn button(action_id: &str, label: &str, value: &str, style: Option<&str>) -> Value {
    let label = text::cut(label, BUTTON_CHARS_MAX);
    let mut button = json!({
        "type": "button",
        "action_id": action_id,
        "text": {"type": "plain_text", "text": label},
        "value": value,
    });
    if let Some(style) = style {
        button["style"] = style.into();
    }
    button
}

pub(crate) fn section(markdown: &str) -> Value {
    json!({"type": "section", "text": {"type": "mrkdwn", "text": text::cut(markdown, 3000)}})
}

pub(crate) fn context(markdown: &str) -> Value {
    let text = text::cut(markdown, 2000);
    json!({"type": "context", "elements": [{"type": "mrkdwn", "text": text}]})
}

#[cfg(test)]
mod tests {
    use super::*;
    use tocsin_plugin_sdk::testing;
    use tocsin_plugin_sdk::types::{Actor, Audience};

    #[test]
    fn a_settled_message_has_no_buttons_left() {
        let settled = Message::settled("*Major incident*", "Acknowledged by <@U1>");
        assert!(settled.blocks.iter().all(|it| it["type"] != "actions"));
        assert!(settled.text.contains("Acknowledged by <@U1>"));
    }

    #[test]
    fn an_update_promises_the_next_one() {
        let update = update(&Update {
            id: "u-1".into(),
            incident: testing::incident(),
            audience: Audience::Company,
            author: Actor {
                kind: "person".into(),
                id: "sam".into(),
                display_name: None,
            },
            body: "We are **on it**".into(),
            next_update_at: Some(1_767_357_000_000),
            at: 1_767_355_200_000,
            extra: "{}".into(),
        });
        assert!(update.text.contains("We are *on it*"), "{}", update.text);
        assert!(
            update.text.contains("Next update by <!date^1767357000^"),
            "{}",
            update.text
        );
        assert!(update.text.contains("12:30 UTC"), "{}", update.text);
    }
}
