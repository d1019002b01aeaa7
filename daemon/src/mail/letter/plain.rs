//! The mail as plain text.

use std::fmt::Write as _;

use crate::disclosure::page::{PageContent, PageItem};

/// Column at which the text of a fact begins.
const NAME_CHARS: usize = 13;

pub(super) fn text(name: &str, content: &PageContent) -> String {
    let is_one = content.named() <= 1;
    let mut text = format!("{}\n", content.summary);
    let _ = write!(text, "\n{}", super::request(name, content));
    if let Some(url) = &content.ack_url {
        let _ = write!(text, ":\n{url}");
    }
    text.push('\n');
    for (label, url) in super::answers(content) {
        let _ = writeln!(text, "\n{label}:\n{url}");
    }
    for item in &content.items {
        text.push('\n');
        if !is_one {
            let _ = writeln!(text, "{}", item.headline);
        }
        push_item(&mut text, item, is_one);
    }
    if !content.others.is_empty() {
        text.push_str("\nAnd these:\n");
    }
    for other in &content.others {
        let _ = writeln!(text, "- #{} {}", other.number, other.headline);
    }
    text
}

fn push_item(text: &mut String, item: &PageItem, is_one: bool) {
    for fact in &item.facts {
        let name = format!("{}: ", fact.name);
        let _ = writeln!(text, "{name:NAME_CHARS$}{}", fact.text);
    }
    for link in &item.links {
        let name = format!("{}: ", link.title);
        let _ = writeln!(text, "{name:NAME_CHARS$}{}", link.url);
    }
    if let Some(number) = item.number() {
        let _ = writeln!(text, "{:NAME_CHARS$}#{number}", "Incident:");
    }
    if let Some(url) = item.ack_url.as_ref().filter(|_| !is_one) {
        let _ = writeln!(text, "Acknowledge only this one: {url}");
    }
}
