//! Sends a page or a question as the templates say.

use crate::settings::Settings;
use crate::template::{self, Escape};
use tocsin_plugin_sdk::http::{self, Request, Response};
use tocsin_plugin_sdk::serde_json::Value;
use tocsin_plugin_sdk::text;
use tocsin_plugin_sdk::types::{Failure, Outcome, Page, Prompt};

/// The contact kind.
const KIND: &str = "webhook";
/// The `once` key: a delivery sends one request. When its outcome is unknown, nobody can be asked
/// whether it arrived, so the next contact is used.
const SEND: &str = "send";
/// Of what the service said, in characters.
const SAID_CHARS_MAX: usize = 200;

/// Sends a page, or a question with its message.
pub(crate) fn send(
    page: &Page,
    prompt: Option<&Prompt>,
    settings: &Settings,
) -> Result<Outcome, Failure> {
    let address = page.contact(&[KIND]).map(|it| it.1);
    let address = address.ok_or_else(|| {
        Failure::Permanent(format!("{} has no contact of kind {KIND}", page.to.id))
    })?;
    let mut values = template::values(page, &address);
    if let Some(prompt) = prompt {
        template::ask(&mut values, prompt);
    }
    let wrong = |what: &str, why: String| Failure::Misconfigured(format!("settings.{what}: {why}"));
    let url = template::render(&settings.url, &values, Escape::Url);
    let url = url.map_err(|why| wrong("url", why))?;
    let mut request = Request::new(&settings.method, url)
        .auth(&settings.credential)
        .once(SEND);
    for header in &settings.headers {
        let (name, value) = header.split_once(':').unwrap_or((header, ""));
        let value = template::header(value, &values).map_err(|why| wrong("headers", why))?;
        request = request.header(name.trim(), value);
    }
    if settings.method != "GET" {
        let body = template::render(&settings.body, &values, settings.escape());
        request.body = Some(body.map_err(|why| wrong("body", why))?.into_bytes());
        request = request.header("content-type", &settings.content_type);
    }
    let response = request.send()?;
    if !response.is_success() {
        return Err(response.failure("the service"));
    }
    match &settings.success_field {
        Some(field) if !says_true(&response, field) => {
            http::forget(SEND);
            let said = text::one_line(&String::from_utf8_lossy(&response.body));
            let said = text::cut(&said, SAID_CHARS_MAX);
            Err(Failure::Permanent(format!(
                "`{field}` of the response is not true: {said}"
            )))
        }
        _ => Ok(Outcome::Done),
    }
}

/// Whether a field of a JSON response, with dots between nested names, is true or a success.
fn says_true(response: &Response, field: &str) -> bool {
    let answer: Value = response.json().unwrap_or_default();
    let found = field.split('.').fold(&answer, |value, name| &value[name]);
    match found {
        Value::Bool(is_true) => *is_true,
        Value::Number(number) => number.as_i64().is_some_and(|it| it != 0),
        Value::String(text) => matches!(text.as_str(), "true" | "ok" | "success"),
        _ => false,
    }
}
