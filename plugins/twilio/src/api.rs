//! Requests to Twilio's API.

use crate::dates;
use tocsin_plugin_sdk::config;
use tocsin_plugin_sdk::http::{HttpError, Request, Response};
use tocsin_plugin_sdk::serde_json::Value;
use tocsin_plugin_sdk::types::{Failure, Timestamp};

/// Calls or messages that are read at once, newest first.
const LIST: &str = "50";

/// A call or a text message.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) sid: String,
    pub(crate) body: String,
    /// None for one that Twilio has not dated yet.
    pub(crate) at: Option<Timestamp>,
    pub(crate) direction: String,
}

/// Creates a call or a message; returns its id, or none if an earlier attempt may have created it.
pub(crate) fn create(
    what: &str,
    fields: &[(&str, &str)],
    once: &str,
) -> Result<Option<String>, Failure> {
    match post(&path(what), fields).once(once).send() {
        Err(HttpError::OutcomeUnknown(_)) => Ok(None),
        other => {
            let answer = succeeded(&other?)?;
            Ok(Some(answer["sid"].as_str().unwrap_or_default().into()))
        }
    }
}

/// The state of a call or a message, such as `ringing` or `delivered`.
pub(crate) fn status(what: &str, sid: &str) -> Result<String, Failure> {
    let response = get(&format!("{}/{sid}", path(what)), &[]).send()?;
    let answer = succeeded(&response)?;
    Ok(answer["status"].as_str().unwrap_or_default().into())
}

/// The latest calls or messages between two numbers, newest first.
pub(crate) fn list(what: &str, from: &str, to: &str) -> Result<Vec<Found>, Failure> {
    let query = [("From", from), ("To", to), ("PageSize", LIST)];
    let response = get(&path(what), &query).send()?;
    let answer = succeeded(&response)?;
    let listed = answer[what.to_lowercase()].as_array().cloned();
    let found = listed.unwrap_or_default().into_iter().map(|it| {
        let text = |key: &str| it[key].as_str().unwrap_or_default().to_string();
        Found {
            sid: text("sid"),
            body: text("body"),
            at: dates::parse(&text("date_created")),
            direction: text("direction"),
        }
    });
    Ok(found.collect())
}

/// Ends a call. One that is over already cannot be changed, which is fine.
pub(crate) fn end_call(sid: &str) -> Result<(), Failure> {
    let response = post(
        &format!("{}/{sid}", path("Calls")),
        &[("Status", "completed")],
    )
    .send()?;
    match response.status {
        400 | 404 => Ok(()),
        _ => succeeded(&response).map(drop),
    }
}

pub(crate) fn account_status() -> Result<String, Failure> {
    let response = get(&account(), &[]).send()?;
    let answer = succeeded(&response)?;
    Ok(answer["status"].as_str().unwrap_or_default().into())
}

pub(crate) fn from() -> String {
    config::get("from").unwrap_or_default()
}

fn account() -> String {
    let sid = config::get("account-sid").unwrap_or_default();
    format!("/2010-04-01/Accounts/{sid}")
}

fn path(what: &str) -> String {
    format!("{}/{what}", account())
}

fn get(path: &str, query: &[(&str, &str)]) -> Request {
    Request::get(url(path)).query(query).auth("api")
}

fn post(path: &str, fields: &[(&str, &str)]) -> Request {
    Request::post(url(path)).form(fields).auth("api")
}

fn url(path: &str) -> String {
    let base = config::get("base-url").unwrap_or_default();
    format!("{}{path}.json", base.trim_end_matches('/'))
}

fn succeeded(response: &Response) -> Result<Value, Failure> {
    match response.is_success() {
        true => Ok(response.json()?),
        false => Err(response.failure("Twilio")),
    }
}
