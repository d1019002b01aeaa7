//! Requests to the ntfy server.

use tocsin_plugin_sdk::http::{HttpError, Request, Response};
use tocsin_plugin_sdk::serde_json::{self, Value};
use tocsin_plugin_sdk::types::{Failure, Timestamp};
use tocsin_plugin_sdk::{config, http, log};

/// Clocks differ, and a message is older than the attempt that looks for it.
const LOOK_BACK_MS: u64 = 600_000;
/// The `once` key of a page's message: a delivery sends one.
const PUBLISH: &str = "publish";

/// The server without a trailing slash.
pub(crate) fn base_url() -> String {
    let url = config::get("base-url").unwrap_or_default();
    url.trim_end_matches('/').into()
}

/// Publishes a message; returns when, by the server's clock. If an earlier attempt may have
/// published it, its topic is searched first.
pub(crate) fn publish(message: &Value, since: Timestamp) -> Result<Timestamp, Failure> {
    let request = with_credential(Request::post(format!("{}/", base_url())));
    let request = request.once(PUBLISH).json(message)?;
    let response = match request.send() {
        Err(HttpError::OutcomeUnknown(_)) => {
            if let Some(published) = published(message, since)? {
                return Ok(time(&published, since));
            }
            http::forget(PUBLISH);
            request.send()?
        }
        other => other?,
    };
    succeeded(&response)?;
    Ok(time(&response.json().unwrap_or_default(), since))
}

fn time(message: &Value, otherwise: Timestamp) -> Timestamp {
    message["time"].as_u64().map_or(otherwise, |it| it * 1000)
}

/// The message in its topic, if it is there. A topic that may only be written counts as without it:
/// the phone shows one notification for a sequence id, however often it is published.
fn published(message: &Value, since: Timestamp) -> Result<Option<Value>, Failure> {
    let topic = message["topic"].as_str().unwrap_or_default();
    match messages(topic, since.saturating_sub(LOOK_BACK_MS)) {
        Ok(found) => Ok(found.into_iter().find(|it| {
            let same = |key: &str| it[key] == message[key];
            // A server before 2.16 has no sequence ids.
            same("sequence_id") || (it["sequence_id"].is_null() && same("title") && same("message"))
        })),
        Err(Failure::Misconfigured(why)) => {
            log::warn(
                "cannot look for a message whose outcome is unknown",
                &[("why", &why)],
            );
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// The messages of a topic since a time, oldest first.
pub(crate) fn messages(topic: &str, since: Timestamp) -> Result<Vec<Value>, Failure> {
    let since = (since / 1000).to_string();
    let request = Request::get(format!("{}/{topic}/json", base_url()));
    let request = request.query(&[("poll", "1"), ("since", &since)]);
    let response = with_credential(request).send()?;
    succeeded(&response)?;
    let text = String::from_utf8_lossy(&response.body);
    let lines = text
        .lines()
        .filter_map(|it| serde_json::from_str::<Value>(it).ok());
    Ok(lines.filter(|it| it["event"] == "message").collect())
}

/// Dismisses a notification on the person's devices. A server before 2.16 cannot.
pub(crate) fn clear(topic: &str, sequence_id: &str) -> Result<(), Failure> {
    let url = format!("{}/{topic}/{sequence_id}/clear", base_url());
    let response = with_credential(Request::new("PUT", url)).send()?;
    match response.status {
        404 | 405 => Ok(()),
        _ => succeeded(&response),
    }
}

pub(crate) fn health() -> Result<(), Failure> {
    let response = with_credential(Request::get(format!("{}/v1/health", base_url()))).send()?;
    succeeded(&response)
}

fn with_credential(request: Request) -> Request {
    if config::has_secret("token") {
        request.auth("token")
    } else if config::has_secret("password") {
        request.auth("login")
    } else {
        request.auth("open")
    }
}

fn succeeded(response: &Response) -> Result<(), Failure> {
    match response.is_success() {
        true => Ok(()),
        false => Err(response.failure("ntfy")),
    }
}
