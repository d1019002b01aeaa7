//! The page of a link as HTML: large enough for a thumb at night.

use std::fmt::Write as _;

use crate::disclosure::page::{PageContent, PageItem};
use crate::text::html_escaped;

/// In dark mode too, and without anything that must be loaded.
const STYLE: &str = ":root{color-scheme:light dark}\
    body{font:1.1em sans-serif;margin:1em auto;max-width:36em;padding:0 1em}\
    h1{font-size:1.4em;overflow-wrap:anywhere}\
    dl{display:grid;grid-template-columns:max-content 1fr;gap:.3em 1em}\
    dt{opacity:.7}dd{margin:0;overflow-wrap:anywhere}\
    button{font:inherit;font-weight:bold;width:100%;padding:1em;border:0;border-radius:.4em;\
    background:#b00020;color:#fff}\
    button.one{width:auto;padding:.7em 1em;background:#555}";

/// An incident of a link.
pub(super) struct Shown<'a> {
    pub(super) item: &'a PageItem,
    /// Where it stands, in a sentence.
    pub(super) status: String,
    /// Whether it can still be acknowledged or answered.
    pub(super) is_active: bool,
}

/// The body of the page that a link shows: what it says, and its buttons. `answer`: the label of
/// the answer that the link gives, if it gives one.
pub(super) fn body(content: &PageContent, shown: &[Shown<'_>], answer: Option<&str>) -> String {
    let is_one = content.named() <= 1;
    let mut html = format!("<h1>{}</h1>\n", html_escaped(&content.summary));
    if shown.iter().any(|it| it.is_active) {
        if let Some(question) = &content.question {
            let _ = writeln!(html, "<p>{}</p>", html_escaped(&question.otherwise));
        }
        let label = answer.map_or("Acknowledge".to_owned(), html_escaped);
        let label = match content.named() {
            ..=1 => label,
            all if answer.is_some() => format!("{label} (all {all})"),
            all => format!("{label} all {all}"),
        };
        let _ = writeln!(
            html,
            "<form method=\"post\"><button>{label}</button></form>"
        );
    }
    for it in shown {
        html.push_str(&described(it, is_one, answer.is_none()));
    }
    if !content.others.is_empty() {
        html.push_str("<h2>And these</h2>\n<ul>\n");
        for other in &content.others {
            let headline = html_escaped(&other.headline);
            let _ = writeln!(html, "<li>#{} {headline}</li>", other.number);
        }
        html.push_str("</ul>\n");
    }
    html
}

fn described(shown: &Shown<'_>, is_one: bool, has_button: bool) -> String {
    let item = shown.item;
    let number = item.seen.line.number;
    let mut html = String::new();
    if !is_one {
        let _ = writeln!(html, "<h2>{}</h2>", html_escaped(&item.headline));
    }
    let _ = writeln!(html, "<p>{}</p>\n<dl>", html_escaped(&shown.status));
    for fact in &item.facts {
        let text = html_escaped(&fact.text);
        let _ = writeln!(html, "<dt>{}</dt><dd>{text}</dd>", fact.name);
    }
    if let Some(number) = item.number() {
        let _ = writeln!(html, "<dt>Incident</dt><dd>#{number}</dd>");
    }
    html.push_str("</dl>\n");
    if !item.links.is_empty() {
        html.push_str("<ul>\n");
        for link in &item.links {
            let (url, title) = (html_escaped(&link.url), html_escaped(&link.title));
            let _ = writeln!(
                html,
                "<li><a href=\"{url}\" rel=\"noreferrer\">{title}</a></li>"
            );
        }
        html.push_str("</ul>\n");
    }
    if !is_one && shown.is_active && has_button {
        let id = html_escaped(item.id.as_str());
        let _ = writeln!(
            html,
            "<form method=\"post\"><input type=\"hidden\" name=\"item\" value=\"{id}\">\
             <button class=\"one\">Acknowledge only #{number}</button></form>"
        );
    }
    html
}

/// The whole document.
pub(super) fn document(body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>tocsin</title>\
         <style>{STYLE}</style></head><body>\n{body}</body></html>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample_pages::{SamplePage, matches_file, sample_pages, sample_questions};

    fn shown(sample: &SamplePage, status: &str, answer: Option<&str>) -> String {
        let items = sample.content.items.iter().map(|item| Shown {
            item,
            status: status.to_owned(),
            is_active: true,
        });
        document(&body(&sample.content, &items.collect::<Vec<_>>(), answer))
    }

    #[test]
    fn each_acknowledge_page_is_as_committed() {
        for sample in sample_pages() {
            let html = shown(&sample, "It is not acknowledged yet.", None);
            matches_file(&format!("{}.ack.html", sample.name), &html);
        }
    }

    #[test]
    fn each_page_of_an_answer_is_as_committed() {
        for sample in sample_questions() {
            let html = shown(&sample, "Nobody has answered yet.", Some("Still on it"));
            matches_file(&format!("{}.answer.html", sample.name), &html);
        }
    }
}
