//! The mail as HTML. Mail programs know few styles, and those only inline.

use std::fmt::Write as _;

use tocsin_core::Grade;

use crate::disclosure::page::{PageContent, PageItem, PageLink};
use crate::text::html_escaped;

const BODY: &str = "font-family:sans-serif;font-size:16px;max-width:40em;margin:0;padding:12px";
const BUTTON: &str = "display:inline-block;padding:14px 24px;background:#b00020;color:#ffffff;\
                      font-weight:bold;text-decoration:none;border-radius:4px";
const SMALL_BUTTON: &str = "display:inline-block;padding:8px 14px;background:#444444;\
                            color:#ffffff;text-decoration:none;border-radius:4px";
const NAME: &str = "padding:2px 12px 2px 0;color:#666666;vertical-align:top;white-space:nowrap";
const TEXT: &str = "padding:2px 0;overflow-wrap:anywhere";

pub(super) fn text(name: &str, content: &PageContent) -> String {
    let is_one = content.named() <= 1;
    let mut html = format!(
        "<!doctype html>\n<html><head><meta charset=\"utf-8\"></head><body style=\"{BODY}\">\n"
    );
    let is_page = content.question.is_none();
    if let (true, Some(item)) = (is_one && is_page, content.items.first()) {
        html.push_str(&heading("h2", item));
    } else {
        let _ = writeln!(html, "<h2>{}</h2>", html_escaped(&content.summary));
    }
    let request = html_escaped(&super::request(name, content));
    let colon = if is_page { ":" } else { "" };
    let _ = writeln!(html, "<p>{request}{colon}</p>");
    for (label, url) in super::answers(content) {
        html.push_str(&button(SMALL_BUTTON, &label, url));
    }
    if let Some(url) = &content.ack_url {
        let label = match content.named() {
            ..=1 => "Acknowledge".to_owned(),
            all => format!("Acknowledge all {all}"),
        };
        html.push_str(&button(BUTTON, &label, url));
    }
    for item in &content.items {
        if !is_one {
            html.push_str("<hr>\n");
            html.push_str(&heading("h3", item));
        }
        html.push_str(&described(item));
        if let Some(url) = item.ack_url.as_ref().filter(|_| !is_one) {
            let label = format!("Acknowledge only #{}", item.seen.line.number);
            html.push_str(&button(SMALL_BUTTON, &label, url));
        }
    }
    if !content.others.is_empty() {
        html.push_str("<hr>\n<p>And these:</p>\n<ul>\n");
        for other in &content.others {
            let headline = html_escaped(&other.headline);
            let _ = writeln!(html, "<li>#{} {headline}</li>", other.number);
        }
        html.push_str("</ul>\n");
    }
    html.push_str("</body></html>\n");
    html
}

fn heading(tag: &str, item: &PageItem) -> String {
    let color = match item.seen.line.grade {
        Grade::Critical => "#b00020",
        Grade::Major => "#c75000",
        Grade::Minor => "#8a6d00",
    };
    let headline = html_escaped(&item.headline);
    format!("<{tag} style=\"border-left:6px solid {color};padding-left:10px\">{headline}</{tag}>\n")
}

fn described(item: &PageItem) -> String {
    let mut html = String::from("<table style=\"border-collapse:collapse\">\n");
    let mut row = |name: &str, text: &str| {
        let _ = writeln!(
            html,
            "<tr><td style=\"{NAME}\">{name}</td><td style=\"{TEXT}\">{text}</td></tr>"
        );
    };
    for fact in &item.facts {
        row(fact.name, &html_escaped(&fact.text));
    }
    let links: Vec<_> = item.links.iter().map(anchor).collect();
    if !links.is_empty() {
        row("Links", &links.join(" · "));
    }
    if let Some(number) = item.number() {
        row("Incident", &format!("#{number}"));
    }
    html.push_str("</table>\n");
    html
}

fn anchor(link: &PageLink) -> String {
    let (url, title) = (html_escaped(&link.url), html_escaped(&link.title));
    format!("<a href=\"{url}\">{title}</a>")
}

fn button(style: &str, label: &str, url: &str) -> String {
    let (url, label) = (html_escaped(url), html_escaped(label));
    format!("<p><a href=\"{url}\" style=\"{style}\">{label}</a></p>\n")
}
