//! Requests to Pushover's API.

use crate::message::Message;
use tocsin_plugin_sdk::http::{HttpError, Request, Response};
use tocsin_plugin_sdk::serde_json::Value;
use tocsin_plugin_sdk::types::Failure;
use tocsin_plugin_sdk::{config, http, log};

/// The `once` key of a page's message: a delivery sends one.
const SEND: &str = "send";

/// What became of a message that sounds until it is acknowledged.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Receipt {
    pub(crate) is_delivered: bool,
    pub(crate) is_expired: bool,
    /// The key of the user who acknowledged it, if somebody did and that is known.
    pub(crate) acknowledged: Option<String>,
}

/// Sends a message; returns its receipt, if it has one.
///
/// If an earlier attempt may have sent it, that one is stopped first, so that one of them sounds.
/// Others cannot be found: a person would get two messages, so the next contact is used.
pub(crate) fn send(message: &Message) -> Result<Option<String>, Failure> {
    let request = post("/1/messages.json", &message.fields).once(SEND);
    let response = match (request.send(), &message.tag) {
        (Err(HttpError::OutcomeUnknown(_)), Some(tag)) => {
            log::warn(
                "a message may have been sent already; it is stopped and sent again",
                &[],
            );
            let stopped = post(&format!("/1/receipts/cancel_by_tag/{tag}.json"), &[]).send()?;
            succeeded(&stopped)?;
            http::forget(SEND);
            request.send()?
        }
        (other, _) => other?,
    };
    succeeded(&response)?;
    let answer: Value = response.json()?;
    Ok(answer["receipt"].as_str().map(Into::into))
}

/// Stops a message. One that was acknowledged or that expired has stopped already.
pub(crate) fn cancel(receipt: &str) -> Result<(), Failure> {
    let response = post(&format!("/1/receipts/{receipt}/cancel.json"), &[]).send()?;
    match response.status {
        400 | 404 => Ok(()),
        _ => succeeded(&response),
    }
}

/// At most once in five seconds, says Pushover.
pub(crate) fn receipt(receipt: &str) -> Result<Receipt, Failure> {
    let response = get(&format!("/1/receipts/{receipt}.json")).send()?;
    succeeded(&response)?;
    let answer: Value = response.json()?;
    let by = answer["acknowledged_by"].as_str().unwrap_or_default();
    Ok(Receipt {
        is_delivered: answer["last_delivered_at"].as_u64() > Some(0),
        is_expired: answer["expired"] == 1,
        acknowledged: (answer["acknowledged"] == 1).then(|| by.into()),
    })
}

/// How many messages the application may still send this month, if it is limited.
pub(crate) fn messages_left() -> Result<Option<u64>, Failure> {
    let response = get("/1/apps/limits.json").send()?;
    succeeded(&response)?;
    let answer: Value = response.json()?;
    Ok(answer["remaining"].as_u64())
}

fn get(path: &str) -> Request {
    Request::get(url(path)).auth("read")
}

fn post(path: &str, fields: &[(&'static str, String)]) -> Request {
    let fields: Vec<_> = fields
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    Request::post(url(path)).auth("send").form(&fields)
}

fn url(path: &str) -> String {
    let base = config::get("base-url").unwrap_or_default();
    format!("{}{path}", base.trim_end_matches('/'))
}

fn succeeded(response: &Response) -> Result<(), Failure> {
    if response.is_success() {
        return Ok(());
    }
    let failure = response.failure("Pushover");
    let answer: Value = response.json().unwrap_or_default();
    match (response.status, failure) {
        // The application's, not the person's.
        (400, Failure::Permanent(why)) if answer["token"] == "invalid" => {
            Err(Failure::Misconfigured(why))
        }
        // Until the month ends: the next contact must be used.
        (429, Failure::Retry(hint)) => Err(Failure::Permanent(hint.reason)),
        (_, failure) => Err(failure),
    }
}
