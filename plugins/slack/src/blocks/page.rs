//! A page as a message: the button for all that it names, then the worst incident first, with a
//! button for each of those shown in full.

use super::{ACK, ACK_ITEM, Message, button, context, section};
use crate::text;
use tocsin_plugin_sdk::serde_json::{Value, json};
use tocsin_plugin_sdk::types::{Link, Page, PageItem};

/// Of the only incident of a message, in characters.
const ALONE_CHARS_MAX: usize = 2800;
/// Of each of several, in characters: five and their blocks fit into the row that remembers them.
const AMONG_CHARS_MAX: usize = 1000;
/// Buttons with links under an incident.
const LINKS_MAX: usize = 3;
/// Slack refuses a button with a longer URL.
const URL_CHARS_MAX: usize = 3000;
const LINK_TITLE_CHARS_MAX: usize = 40;
/// Further incidents that a message names in a line each, the rest only by number.
const NAMED_MAX: usize = 20;
/// Of a section with such lines or with numbers.
const SECTION_CHARS_MAX: usize = 2900;
const NAMED_CHARS_MAX: usize = 120;
const SUMMARY_CHARS_MAX: usize = 300;

/// Prefix of the id of the block with an item's buttons; the item's place follows.
const BUTTONS: &str = "item:";
/// The id of the block with the button for all.
const ALL: &str = "all";

/// A page, with its buttons.
pub(crate) fn page(page: &Page) -> Message {
    let alone = is_alone(page);
    let mut blocks = Vec::new();
    if page.test {
        let why = "This is a test of the way to you. Press the button to show that it works.";
        blocks.push(section(why));
    }
    if !alone {
        let total = page.items.len() + page.others.len();
        let value = json!({"page": page.id}).to_string();
        let label = format!("Acknowledge all {total}");
        let all = button(ACK, &label, &value, Some("danger"));
        blocks.push(section(&summary(page)));
        blocks.push(json!({"type": "actions", "block_id": ALL, "elements": [all]}));
    }
    for (at, item) in page.items.iter().enumerate() {
        blocks.push(shown(page, item));
        blocks.extend(buttons(page, item, at, alone));
    }
    if !page.others.is_empty() {
        blocks.extend(others(page).iter().map(|it| section(it)));
    }
    Message {
        text: notification(page),
        blocks,
    }
}

/// What a message is about, without buttons.
pub(super) fn about(page: &Page) -> Vec<Value> {
    let items = page.items.iter().map(|it| shown(page, it));
    let others = if page.others.is_empty() {
        Vec::new()
    } else {
        others(page)
    };
    items.chain(others.iter().map(|it| section(it))).collect()
}

fn shown(page: &Page, item: &PageItem) -> Value {
    let max = match is_alone(page) {
        true => ALONE_CHARS_MAX,
        false => AMONG_CHARS_MAX,
    };
    section(&text::cut(&described(item), max))
}

fn is_alone(page: &Page) -> bool {
    page.items.len() == 1 && page.others.is_empty()
}

/// The blocks with a note in place of the buttons of the item at this place.
pub(crate) fn with_note(blocks: &[Value], at: usize, note: &str) -> Vec<Value> {
    let id = format!("{BUTTONS}{at}");
    let blocks = blocks.iter();
    let noted = blocks.map(|it| match it["block_id"] == id.as_str() {
        true => context(note),
        false => it.clone(),
    });
    noted.collect()
}

/// For the notification, and what stays once the message is settled.
pub(super) fn notification(page: &Page) -> String {
    let test = if page.test { "Test: " } else { "" };
    if let ([item], true) = (&page.items[..], is_alone(page)) {
        return format!("{test}{}", text::cut(&described(item), ALONE_CHARS_MAX));
    }
    let named = page
        .items
        .iter()
        .map(|it| named(it.incident.number, &it.headline));
    let lines: Vec<String> = [format!("{test}{}", summary(page))]
        .into_iter()
        .chain(named)
        .collect();
    lines.join("\n")
}

pub(super) fn summary(page: &Page) -> String {
    let summary = text::one_line(&page.summary);
    format!(
        "*{}*",
        text::escape(&text::cut(&summary, SUMMARY_CHARS_MAX))
    )
}

fn described(item: &PageItem) -> String {
    let number = item.incident.number;
    let headline = text::escape(&text::one_line(&item.headline));
    // A test or a reminder is about no incident.
    let number = match number {
        0 => String::new(),
        number => format!("#{number} "),
    };
    let mut lines = vec![format!(
        "{} *{number}{headline}*",
        text::emoji(item.incident.grade)
    )];
    let facts = item.facts.iter();
    lines.extend(facts.map(|it| {
        let (name, fact) = (text::escape(&it.name), text::escape(&it.text));
        format!("*{name}:* {fact}")
    }));
    if item.facts.is_empty() {
        lines.push(text::escape(&text::cut(&item.reason, SUMMARY_CHARS_MAX)));
    }
    lines.join("\n")
}

/// None without any: Slack refuses an empty block.
fn buttons(page: &Page, item: &PageItem, at: usize, alone: bool) -> Option<Value> {
    let number = item.incident.number;
    let (action, label, value) = match alone {
        true => (
            ACK.to_owned(),
            "Acknowledge".to_owned(),
            json!({"page": page.id}),
        ),
        false => (
            format!("{ACK_ITEM}{at}"),
            format!("Acknowledge #{number}"),
            json!({"page": page.id, "item": item.id}),
        ),
    };
    let ack = button(&action, &label, &value.to_string(), Some("primary"));
    let ack = item.ack_url.as_ref().map(|_| ack);
    let mut elements: Vec<_> = ack.into_iter().collect();
    let links = item
        .links
        .iter()
        .filter(|it| can_be_opened(it))
        .take(LINKS_MAX);
    elements.extend(links.enumerate().map(|(place, link)| {
        let title = text::cut(&link.title, LINK_TITLE_CHARS_MAX);
        json!({
            "type": "button", "action_id": format!("link:{at}:{place}"), "url": link.url,
            "text": {"type": "plain_text", "text": title},
        })
    }));
    let id = format!("{BUTTONS}{at}");
    let block = json!({"type": "actions", "block_id": id, "elements": elements});
    (!elements.is_empty()).then_some(block)
}

/// The other incidents, in texts that each fit into a section.
fn others(page: &Page) -> Vec<String> {
    let mut lines = String::new();
    let mut named_count = 0;
    for other in page.others.iter().take(NAMED_MAX) {
        let line = named(other.number, &other.headline);
        if lines.chars().count() + line.chars().count() >= SECTION_CHARS_MAX {
            break;
        }
        lines.push_str(&line);
        lines.push('\n');
        named_count += 1;
    }
    let mut rest: Vec<u64> = page
        .others
        .iter()
        .skip(named_count)
        .map(|it| it.number)
        .collect();
    rest.sort_unstable();
    let mut texts = vec![lines.trim_end().to_owned()];
    let mut text = format!("and {} more: ", rest.len());
    for range in ranges(&rest) {
        if text.len() + range.len() >= SECTION_CHARS_MAX {
            texts.push(std::mem::take(&mut text));
        }
        text.push_str(&range);
        text.push(' ');
    }
    if !rest.is_empty() {
        texts.push(text.trim_end().to_owned());
    }
    texts
}

/// Sorted numbers as text, such as `#4`, `#7–#9`.
fn ranges(numbers: &[u64]) -> Vec<String> {
    let runs = numbers.chunk_by(|one, next| one + 1 == *next);
    let texts = runs.map(|run| match run {
        [first, .., last] => format!("#{first}–#{last}"),
        _ => run.iter().map(|it| format!("#{it}")).collect(),
    });
    texts.collect()
}

fn named(number: u64, headline: &str) -> String {
    let headline = text::escape(&text::cut(headline, NAMED_CHARS_MAX));
    format!("• #{number} {headline}")
}

/// Slack refuses the whole message for a button with another URL.
fn can_be_opened(link: &Link) -> bool {
    let is_web = ["https://", "http://"]
        .iter()
        .any(|it| link.url.starts_with(it));
    is_web && link.url.chars().count() <= URL_CHARS_MAX && !link.title.trim().is_empty()
}

#[cfg(test)]
mod snapshots;
#[cfg(test)]
mod tests;
