//! A message, and how a person sees it.

use serde_json::Value;

/// A message as Slack keeps it.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// The message's timestamp, which is its id within the channel: `"1700000000.000100"`.
    pub ts: String,
    /// The thread's first message, for a reply in a thread.
    pub thread_ts: Option<String>,
    /// The plain text, which notifications show.
    pub text: String,
    /// Block Kit blocks, an array; empty when there are none.
    pub blocks: Value,
    /// `{"event_type": …, "event_payload": …}`, when the sender attached one.
    pub metadata: Option<Value>,
    /// How many times it was edited.
    pub edits: u32,
    /// Whether it is pinned to its channel.
    pub pinned: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Button {
    /// The action's id, chosen by the app.
    pub action_id: String,
    /// The block that contains it.
    pub block_id: String,
    pub label: String,
    /// The value that is sent to the app.
    pub value: String,
    /// The URL that a press opens, for a link button.
    pub url: Option<String>,
}

impl Message {
    /// The buttons, in order.
    #[must_use]
    pub fn buttons(&self) -> Vec<Button> {
        let blocks = self
            .blocks
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        blocks.iter().flat_map(buttons_of).collect()
    }

    /// The visible text: the blocks' text, one line each, or the plain text if there are no blocks.
    #[must_use]
    pub fn shown(&self) -> String {
        let blocks = self
            .blocks
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        let lines: Vec<String> = blocks.iter().flat_map(lines_of).collect();
        if lines.is_empty() {
            self.text.clone()
        } else {
            lines.join("\n")
        }
    }
}

fn buttons_of(block: &Value) -> Vec<Button> {
    let elements = block["elements"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let accessory = block.get("accessory");
    let all = elements.iter().chain(accessory);
    all.filter(|it| it["type"] == "button")
        .map(|it| Button {
            action_id: text(&it["action_id"]),
            block_id: text(&block["block_id"]),
            label: text(&it["text"]["text"]),
            value: text(&it["value"]),
            url: it["url"].as_str().map(str::to_owned),
        })
        .collect()
}

/// The texts of a block, without buttons.
fn lines_of(block: &Value) -> Vec<String> {
    let own = block["text"]["text"].as_str();
    let fields = block["fields"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let fields = fields.iter().filter_map(|it| it["text"].as_str());
    let elements = block["elements"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let elements = elements.iter().filter_map(|it| it["text"].as_str());
    own.into_iter()
        .chain(fields)
        .chain(elements)
        .map(str::to_owned)
        .collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
