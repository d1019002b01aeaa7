//! Asks the engineering channel for help with an incident, with a button that joins it, and shows
//! there who came.

use crate::post::{self, Post};
use crate::{blocks, jobs};
use serde::{Deserialize, Serialize};
use tocsin_plugin_sdk::commands::{self, CommandError};
use tocsin_plugin_sdk::serde_json::{self, Value, json};
use tocsin_plugin_sdk::types::{
    Event, Failure, Incident, IncidentChange, Outcome, Status, Timestamp,
};
use tocsin_plugin_sdk::{config, kv, log};

/// The job that asks.
pub(crate) const ASK: &str = "help";
/// The job that shows who came.
pub(crate) const SHOW: &str = "helping";
/// How long changes are gathered, in milliseconds.
const GATHER_MS: u64 = 2_000;
/// How long a request is kept current, in milliseconds.
const REQUEST_TTL_MS: u64 = 7 * 24 * 3_600_000;
/// Most requests of an incident that are kept current.
const REQUESTS_MAX: u32 = 10;

/// A request for help.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Request {
    pub(crate) incident: String,
    /// Identifies its message.
    effect: String,
    pub(crate) text: String,
    /// Who asks.
    pub(crate) by: String,
    at: Timestamp,
}

/// A request that was posted.
#[derive(Serialize, Deserialize)]
struct Posted {
    request: Request,
    channel: String,
    ts: String,
}

/// Has requests posted, and those that were posted edited.
pub(crate) fn changed(change: &IncidentChange, event: &Event) {
    let (before, after) = (&change.before, &change.after);
    let extra: Value = serde_json::from_str(&after.extra).unwrap_or_default();
    let wanted = extra["help-wanted"].as_array().into_iter().flatten();
    for (place, it) in wanted.enumerate().filter(|_| !after.security) {
        let text = |name: &str| it[name].as_str().unwrap_or_default().to_string();
        let request = Request {
            incident: after.id.clone(),
            effect: format!("help:{}:{place}", event.id),
            text: text("text"),
            by: text("by"),
            at: event.at,
        };
        jobs::later(0, ASK, &request.effect.clone(), &json!(request));
    }
    let seen = |it: &Incident| (is_open(it), it.security, responders(it));
    if seen(before) != seen(after) {
        let once = format!("{SHOW}:{}", after.id);
        jobs::later(GATHER_MS, SHOW, &once, &json!({ "incident": after.id }));
    }
}

/// Posts a request.
///
/// # Errors
/// Those of Slack and the store.
pub(crate) fn ask(request: Request) -> Result<Outcome, Failure> {
    let Some(channel) = config::get("engineering-channel").filter(|it| !it.is_empty()) else {
        let why = "nobody is asked for help: no channel is configured";
        log::warn(why, &[("set", "engineering-channel")]);
        return Ok(Outcome::Ignored);
    };
    let key = format!("{}{}", prefix(&request.incident), request.effect);
    if kv::get::<Posted>(&key)?.is_some() {
        return Ok(Outcome::Ignored);
    }
    let incident = match commands::get(&request.incident) {
        Err(CommandError::NotFound) => return Ok(Outcome::Ignored),
        result => result?,
    };
    if incident.security || !is_open(&incident) {
        return Ok(Outcome::Ignored);
    }
    let message = blocks::help(&incident, &request, &responders(&incident));
    let ts = Post::new(&channel, request.effect.clone(), request.at, message).send()?;
    let posted = Posted {
        request,
        channel,
        ts,
    };
    match kv::set(&key, &posted, Some(REQUEST_TTL_MS)) {
        // Only who came is not shown.
        Err(Failure::Permanent(why)) => log::warn(&why, &[("key", &key)]),
        other => drop(other?),
    }
    Ok(Outcome::Done)
}

/// Shows in an incident's requests who came, or that no help is needed any more.
///
/// # Errors
/// Those of Slack and the store that a retry or the operator can fix.
pub(crate) fn show(incident: &str) -> Result<Outcome, Failure> {
    let requests = kv::keys(&prefix(incident), None, REQUESTS_MAX)?.keys;
    if requests.is_empty() {
        return Ok(Outcome::Ignored);
    }
    let incident = match commands::get(incident) {
        Err(CommandError::NotFound) => return Ok(Outcome::Ignored),
        result => result?,
    };
    for key in &requests {
        if let Some(Posted {
            request,
            channel,
            ts,
        }) = kv::get(key)?.map(|it| it.value)
        {
            let message = blocks::help(&incident, &request, &responders(&incident));
            post::edit(&channel, &ts, &message)?;
        }
    }
    Ok(Outcome::Done)
}

/// The ids and names of those who help.
pub(crate) fn responders(incident: &Incident) -> Vec<(String, String)> {
    let extra: Value = serde_json::from_str(&incident.extra).unwrap_or_default();
    let all = extra["responders"].as_array().into_iter().flatten();
    let text = |it: &Value, name: &str| it[name].as_str().map(str::to_owned);
    all.filter_map(|it| Some((text(it, "id")?, text(it, "name")?)))
        .collect()
}

fn is_open(incident: &Incident) -> bool {
    matches!(incident.status, Status::Open | Status::Mitigated)
}

/// Prefix of the rows of an incident's requests.
fn prefix(incident: &str) -> String {
    format!("help:{incident}:")
}

#[cfg(test)]
mod tests;
