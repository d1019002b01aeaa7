//! Requests to Twilio's API.

use crate::dates;
use tocsin_plugin_sdk::http::{self, HttpError, Request, Response};
use tocsin_plugin_sdk::serde_json::Value;
use tocsin_plugin_sdk::types::{Failure, RetryHint, Timestamp};
use tocsin_plugin_sdk::{config, kv};

/// Calls or messages that are read at once, newest first.
const LIST: &str = "100";
/// Clocks differ, and what an earlier attempt created is older than the attempt that looks for it.
const LOOK_BACK_MS: u64 = 600_000;
/// How long what was created is known as a page's; the page is over by then.
const TTL_MS: u64 = 7 * 24 * 3_600_000;
/// Shorter runs of digits are no telephone numbers.
const NUMBER_DIGITS_MIN: usize = 7;

/// A call or a text message.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) sid: String,
    pub(crate) from: String,
    pub(crate) body: String,
    /// By Twilio's clock; none for one that Twilio has not dated yet.
    pub(crate) at: Option<Timestamp>,
    pub(crate) direction: String,
}

impl Found {
    fn of(it: &Value) -> Self {
        let text = |key: &str| it[key].as_str().unwrap_or_default().to_string();
        Found {
            sid: text("sid"),
            from: text("from"),
            body: text("body"),
            at: dates::parse(&text("date_created")),
            direction: text("direction"),
        }
    }
}

/// Creates a call or a message to a number. If an earlier attempt may have created it, that one is
/// looked for: a late one for which `is_same` holds and which belongs to no other page. `at` is
/// when the page was queued.
pub(crate) fn create(
    what: &str,
    fields: &[(&str, &str)],
    at: Timestamp,
    is_same: impl Fn(&Found) -> bool,
) -> Result<Found, Failure> {
    let request = post(&path(what), fields).once(what);
    let made = match request.send() {
        Err(HttpError::OutcomeUnknown(_)) => match created_before(what, fields, at, is_same)? {
            Some(found) => found,
            None => {
                http::forget(what);
                Found::of(&succeeded(&request.send()?)?)
            }
        },
        other => Found::of(&succeeded(&other?)?),
    };
    kv::set(&known_key(&made.sid), &true, Some(TTL_MS))?;
    Ok(made)
}

fn created_before(
    what: &str,
    fields: &[(&str, &str)],
    at: Timestamp,
    is_same: impl Fn(&Found) -> bool,
) -> Result<Option<Found>, Failure> {
    let field = |name: &str| fields.iter().find(|it| it.0 == name).map_or("", |it| it.1);
    for found in list(what, Some(field("From")), field("To"))? {
        let is_recent = found.at.is_some_and(|it| it + LOOK_BACK_MS >= at);
        let is_ours = found.direction == "outbound-api" && is_same(&found);
        if is_recent && is_ours && kv::get::<bool>(&known_key(&found.sid))?.is_none() {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

fn known_key(sid: &str) -> String {
    format!("known:{sid}")
}

/// The state of a call or a message, such as `ringing` or `delivered`.
pub(crate) fn status(what: &str, sid: &str) -> Result<String, Failure> {
    let response = get(&format!("{}/{sid}", path(what)), &[]).send()?;
    let answer = succeeded(&response)?;
    Ok(answer["status"].as_str().unwrap_or_default().into())
}

/// The latest calls or messages to a number, from another one or from all, newest first.
pub(crate) fn list(what: &str, from: Option<&str>, to: &str) -> Result<Vec<Found>, Failure> {
    let mut query = vec![("To", to), ("PageSize", LIST)];
    query.extend(from.map(|it| ("From", it)));
    let response = get(&path(what), &query).send()?;
    let answer = succeeded(&response)?;
    let listed = answer[what.to_lowercase()].as_array().cloned();
    let found = listed.unwrap_or_default();
    Ok(found.iter().map(Found::of).collect())
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
    if response.is_success() {
        return Ok(response.json()?);
    }
    Err(match response.failure("Twilio") {
        Failure::Retry(hint) => Failure::Retry(RetryHint {
            reason: masked(&hint.reason),
            ..hint
        }),
        Failure::Permanent(why) => Failure::Permanent(masked(&why)),
        Failure::Misconfigured(why) => Failure::Misconfigured(masked(&why)),
    })
}

/// Without telephone numbers: whoever may see the incident reads why a page failed.
pub(crate) fn masked(text: &str) -> String {
    let mut parts = text.split('+');
    let mut out = parts.next().unwrap_or_default().to_string();
    for part in parts {
        let digits = part.bytes().take_while(u8::is_ascii_digit).count();
        out.push('+');
        out.push_str(match digits >= NUMBER_DIGITS_MIN {
            true => "…",
            false => &part[..digits],
        });
        out.push_str(&part[digits..]);
    }
    out
}
