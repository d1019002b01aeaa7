//! Templates in Jinja's language, and the values that they may use.

use minijinja::value::{Serde, Value as Filled};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior};
use tocsin_plugin_sdk::serde_json::{Value, json};
use tocsin_plugin_sdk::text;
use tocsin_plugin_sdk::types::{Page, PageItem, Prompt};

/// Of a long page; its headline has at most 200 bytes.
const LONG_TITLE_CHARS: usize = 200;
const LONG_BODY_CHARS: usize = 8_000;

/// How `{{ values }}` are escaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Escape {
    /// As JSON: a text with its quotes.
    Json,
    /// For a form-encoded body.
    Form,
    /// Percent-encoded, for a URL.
    Url,
    /// As XML or HTML.
    Xml,
    Nothing,
}

/// Fills in a template.
///
/// # Errors
/// What is wrong with the template, with its line.
pub(crate) fn render(template: &str, values: &Value, escape: Escape) -> Result<String, String> {
    let mut engine = Environment::new();
    engine.set_undefined_behavior(UndefinedBehavior::Strict);
    engine.add_filter("cut", |text: &str, max: usize| text::cut(text, max));
    engine.add_filter("one_line", |text: &str| text::one_line(text));
    match escape {
        Escape::Json => engine.set_auto_escape_callback(|_| AutoEscape::Json),
        Escape::Form | Escape::Url => {
            engine.set_formatter(move |out, state, value| encoded(out, state, value, escape))
        }
        Escape::Xml => engine.set_auto_escape_callback(|_| AutoEscape::Html),
        Escape::Nothing => engine.set_auto_escape_callback(|_| AutoEscape::None),
    }
    let filled = engine.render_str(template, Serde(values));
    filled.map_err(|error| format!("template: {error}"))
}

/// Fills in the value of a header, which is one line of ASCII: other characters become `?`.
pub(crate) fn header(template: &str, values: &Value) -> Result<String, String> {
    let filled = text::one_line(&render(template, values, Escape::Nothing)?);
    let chars = filled.chars();
    Ok(chars
        .map(|it| if it.is_ascii() { it } else { '?' })
        .collect())
}

fn encoded(
    out: &mut Output<'_>,
    _: &State<'_, '_>,
    value: &Filled,
    escape: Escape,
) -> Result<(), Error> {
    if value.is_undefined() {
        return Err(Error::from(ErrorKind::UndefinedError));
    }
    let plain = if value.is_none() {
        String::new()
    } else {
        value.to_string()
    };
    let form: String = form_urlencoded::byte_serialize(plain.as_bytes()).collect();
    let text = match escape {
        Escape::Url => form.replace('+', "%20"),
        _ => form,
    };
    out.write_str(&text).map_err(Error::from)
}

/// What a template may use.
pub(crate) fn values(page: &Page, address: &str) -> Value {
    let first = page.items.first();
    let grade = first.map_or("major", |it| it.incident.grade.as_str());
    let others = page.others.iter();
    let others = others.map(
        |it| json!({"number": it.number, "grade": it.grade.as_str(), "headline": it.headline}),
    );
    json!({
        "address": address,
        "person": page.to.name,
        "page_id": page.id,
        "test": page.test,
        "title": text::title(page),
        "body": text::body(page),
        "brief": text::brief(page),
        "grade": grade,
        "urgency": page.urgency.as_str(),
        "number": first.map(|it| it.incident.number),
        "service": first.and_then(|it| it.incident.services.first()),
        "count": page.items.len() + page.others.len(),
        "ack_url": page.ack_url,
        "action": "Acknowledge",
        "question": false,
        "choices": [],
        "link": text::first_link(page),
        "items": page.items.iter().map(item).collect::<Vec<_>>(),
        "others": others.collect::<Vec<_>>(),
    })
}

/// Changes what a template may use to a question: its first answer is what the link gives.
pub(crate) fn ask(values: &mut Value, prompt: &Prompt) {
    let choices = prompt.choices.iter();
    let choices = choices.map(|it| json!({"label": it.label, "url": it.url}));
    let first = prompt.choices.first();
    values["question"] = true.into();
    values["body"] = text::asked(prompt, true).into();
    values["ack_url"] = first.and_then(|it| it.url.as_deref()).into();
    values["action"] = first.map_or("", |it| it.label.as_str()).into();
    values["choices"] = choices.collect();
}

fn item(item: &PageItem) -> Value {
    let facts = item
        .facts
        .iter()
        .map(|it| json!({"name": it.name, "text": it.text}));
    let links = item
        .links
        .iter()
        .map(|it| json!({"title": it.title, "url": it.url}));
    json!({
        "number": item.incident.number,
        "grade": item.incident.grade.as_str(),
        "headline": item.headline,
        "summary": item.incident.summary,
        "services": item.incident.services,
        "reason": item.reason,
        "facts": facts.collect::<Vec<_>>(),
        "links": links.collect::<Vec<_>>(),
        "ack_url": item.ack_url,
    })
}

/// The values of made-up pages: one with something in every place and characters that need
/// escaping, one with as little as possible, and one that is long.
pub(crate) fn samples() -> [Value; 3] {
    let full = sample("\"Checkout\" is down\n& 5xx > 20 %", "\"a\" & <b>");
    let mut bare = sample("down", "down");
    bare["test"] = true.into();
    bare["count"] = 1.into();
    for key in ["service", "link", "ack_url"] {
        bare[key] = Value::Null;
    }
    bare["others"] = json!([]);
    for key in ["facts", "links", "services"] {
        bare["items"][0][key] = json!([]);
    }
    bare["items"][0]["ack_url"] = Value::Null;
    let long = sample(
        &"ü ".repeat(LONG_TITLE_CHARS / 2),
        &"ü ".repeat(LONG_BODY_CHARS / 2),
    );
    [full, bare, long]
}

fn sample(title: &str, body: &str) -> Value {
    let link = json!({"title": "Runbook", "url": "https://wiki.example/?a=1&b=2"});
    let item = json!({
        "number": 42, "grade": "critical", "headline": title, "summary": body,
        "services": ["checkout"], "reason": "on call", "ack_url": "https://tocsin.example/ack/1",
        "facts": [{"name": "Since", "text": "12:00"}], "links": [link],
    });
    json!({
        "address": "+15551234567", "person": "Ada", "page_id": "p-1", "test": false,
        "title": title, "body": body, "brief": title, "grade": "critical", "urgency": "critical",
        "number": 42, "service": "checkout",
        "count": 2, "ack_url": "https://tocsin.example/ack/1", "link": "https://wiki.example/",
        "action": "Still on it", "question": false,
        "choices": [{"label": "Still on it", "url": "https://tocsin.example/ack/1"}],
        "items": [item], "others": [{"number": 43, "grade": "minor", "headline": title}],
    })
}
