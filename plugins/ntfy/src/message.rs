//! A page as an ntfy message, within ntfy's limits.

use tocsin_plugin_sdk::serde_json::{Value, json};
use tocsin_plugin_sdk::types::{Failure, Page, Urgency};
use tocsin_plugin_sdk::{config, text};

/// The contact kind.
pub(crate) const KIND: &str = "ntfy";
/// ntfy turns a longer message into an attachment. In bytes.
const MESSAGE_BYTES_MAX: usize = 4096;
/// ntfy reads at most twice that of JSON, in bytes.
const JSON_BYTES_MAX: usize = 2 * MESSAGE_BYTES_MAX;
/// A phone shows no more of a title.
pub(crate) const TITLE_CHARS_MAX: usize = 250;
/// ntfy refuses more buttons.
pub(crate) const ACTIONS_MAX: usize = 3;
const LABEL_CHARS_MAX: usize = 40;
/// Of a topic or a sequence id.
const NAME_BYTES_MAX: usize = 64;
/// As any message: a sound, if the phone is not silent.
const ORDINARY: i64 = 3;
/// No sound.
const SILENT: i64 = 2;

/// Where a person receives pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Contact {
    pub(crate) topic: String,
    /// As configured.
    pub(crate) address: String,
}

impl Contact {
    /// # Errors
    /// When the person has no usable address on this server.
    pub(crate) fn of(page: &Page, base_url: &str) -> Result<Self, Failure> {
        let id = &page.to.id;
        let address = page.contact(&[KIND]).map(|it| it.1);
        let address = address
            .ok_or_else(|| Failure::Permanent(format!("{id} has no contact of kind {KIND}")))?;
        let topic = match address.strip_prefix(base_url) {
            Some(path) => path.strip_prefix('/').unwrap_or_default(),
            None => &address,
        };
        if is_topic(topic) {
            let topic = topic.into();
            return Ok(Self { topic, address });
        }
        Err(Failure::Permanent(format!(
            "the {KIND} contact of {id} is neither a topic nor {base_url}/TOPIC"
        )))
    }
}

/// What a button does.
pub(crate) enum Answer {
    /// Posts to the page's own link.
    Link,
    /// Publishes to the answer topic a token for all of the page, or for its first item.
    Topic {
        url: String,
        all: String,
        first: String,
    },
}

/// The JSON to publish.
pub(crate) fn message(page: &Page, topic: &str, answer: &Answer) -> Value {
    let mut message = json!({
        "topic": topic,
        "title": text::cut(&text::title(page), TITLE_CHARS_MAX),
        "priority": priority(page),
        "tags": [tag(page)],
        "actions": actions(page, answer),
        "sequence_id": sequence_id(&page.id),
    });
    // The page of the acknowledge link says more, to those who may see it.
    let more = page
        .ack_url
        .as_deref()
        .filter(|_| matches!(answer, Answer::Link));
    if let Some(link) = text::first_link(page).or(more) {
        message["click"] = link.into();
    }
    with_body(message, &text::body(page))
}

/// The message with as much of a text as ntfy takes.
pub(crate) fn with_body(mut message: Value, body: &str) -> Value {
    let mut room = MESSAGE_BYTES_MAX;
    loop {
        message["message"] = text::cut_bytes(body, room).into();
        let excess = message.to_string().len().saturating_sub(JSON_BYTES_MAX);
        if excess == 0 || room == 0 {
            return message;
        }
        room = room.saturating_sub(excess);
    }
}

/// The same for every attempt to send a page.
pub(crate) fn sequence_id(page: &str) -> String {
    let allowed = |it: char| it.is_ascii_alphanumeric() || it == '-' || it == '_';
    let id: String = page
        .chars()
        .map(|it| if allowed(it) { it } else { '-' })
        .collect();
    // The end of an id differs, its beginning is often a time.
    id[id.len().saturating_sub(NAME_BYTES_MAX)..].into()
}

pub(crate) fn is_topic(name: &str) -> bool {
    let allowed = |it: u8| it.is_ascii_alphanumeric() || it == b'-' || it == b'_';
    (1..=NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(allowed)
}

/// Whether a URL has nothing after the host and port.
pub(crate) fn is_server(url: &str) -> bool {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    let rest = rest.map(|it| it.strip_suffix('/').unwrap_or(it));
    rest.is_some_and(|it| !it.is_empty() && !it.contains(['/', '?', '#', '@']))
}

pub(crate) fn priority(page: &Page) -> i64 {
    let (key, default) = match page.urgency {
        Urgency::Silent => return SILENT,
        Urgency::Ordinary => return ORDINARY,
        Urgency::Minor => ("priority-minor", 4),
        Urgency::Major => ("priority-major", 5),
        Urgency::Critical => ("priority-critical", 5),
    };
    config::get(key)
        .and_then(|it| it.parse().ok())
        .unwrap_or(default)
}

/// An emoji before the title.
fn tag(page: &Page) -> &'static str {
    match page.urgency {
        _ if page.test => "test_tube",
        Urgency::Critical => "rotating_light",
        Urgency::Major => "warning",
        Urgency::Minor | Urgency::Ordinary | Urgency::Silent => "bell",
    }
}

fn actions(page: &Page, answer: &Answer) -> Vec<Value> {
    let total = page.items.len() + page.others.len();
    let label = match total {
        0 | 1 => "Acknowledge".into(),
        total => format!("Acknowledge all {total}"),
    };
    let link = page.ack_url.as_deref();
    let mut actions: Vec<_> = link
        .map(|it| press(&label, it, answer, true))
        .into_iter()
        .collect();
    if let Some(item) = page.items.first().filter(|_| total > 1) {
        let label = format!("Acknowledge #{}", item.incident.number);
        let link = item.ack_url.as_deref();
        actions.extend(link.map(|it| press(&label, it, answer, false)));
    }
    let links = page.items.iter().flat_map(|it| &it.links);
    let links = links.filter(|it| it.url.starts_with("http"));
    let views = links.map(|it| {
        let label = text::cut(&text::one_line(&it.title), LABEL_CHARS_MAX);
        let label = if label.is_empty() {
            "Open".into()
        } else {
            label
        };
        json!({"action": "view", "label": label, "url": it.url})
    });
    actions.extend(views.take(ACTIONS_MAX.saturating_sub(actions.len())));
    actions
}

/// A button that acknowledges the whole page, or its first item.
fn press(label: &str, link: &str, answer: &Answer, is_all: bool) -> Value {
    match answer {
        Answer::Link => button(label, link, None),
        Answer::Topic { url, all, first } => {
            button(label, url, Some(if is_all { all } else { first }))
        }
    }
}

/// A button that posts.
pub(crate) fn button(label: &str, url: &str, body: Option<&str>) -> Value {
    let mut action = json!({"action": "http", "label": label, "method": "POST", "clear": true});
    action["url"] = url.into();
    if let Some(body) = body {
        action["body"] = body.into();
    }
    action
}
