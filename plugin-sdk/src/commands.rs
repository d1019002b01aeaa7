//! Commands of the incident engine, limited to the verbs that the operator grants. A command that
//! is repeated by a retried call takes effect once.

use crate::host;
use crate::types::{Actor, Incident, Receipt};
use serde_json::Value;

pub use crate::bindings::tocsin::plugin::commands::{CommandError, Draft, LogDraft};

/// The current state of an incident (verb `get`).
///
/// # Errors
/// See [`CommandError`]; it converts into a [`Failure`](crate::types::Failure).
pub fn get(incident_id: &str) -> Result<Incident, CommandError> {
    host::commands::get(incident_id)
}

/// Incidents that match a filter, a page at a time (verb `list`).
///
/// # Errors
/// As for [`get`].
pub fn list(filter: &Value, after: Option<&str>) -> Result<Vec<Incident>, CommandError> {
    host::commands::list(&filter.to_string(), after)
}

/// The incident that this plugin linked to an object in its system (verb `find-by-ref`).
///
/// # Errors
/// As for [`get`].
pub fn find_by_ref(kind: &str, id: &str) -> Result<Option<Incident>, CommandError> {
    host::commands::find_by_ref(kind, id)
}

/// Opens an incident (verb `open`).
///
/// # Errors
/// As for [`get`].
pub fn open(draft: &Draft, by: &Actor) -> Result<Incident, CommandError> {
    host::commands::open(draft, by)
}

/// Runs a chat command line, e.g. `ack`; the result is for the person who typed it (verb `run`).
///
/// # Errors
/// As for [`get`].
pub fn run(incident_id: Option<&str>, line: &str, by: &Actor) -> Result<String, CommandError> {
    host::commands::run(incident_id, line, by)
}

/// The same as a structured action: the JSON of the HTTP API (verb `apply`).
///
/// # Errors
/// As for [`get`]; `other` when the result is not valid JSON.
pub fn apply(incident_id: &str, action: &Value, by: &Actor) -> Result<Value, CommandError> {
    let answer = host::commands::apply(incident_id, &action.to_string(), by)?;
    serde_json::from_str(&answer).map_err(|error| CommandError::Other(error.to_string()))
}

/// Acknowledges one item of a page, or without `item_id` everything that the message named; the
/// result is for the person who pressed (verb `ack`).
///
/// # Errors
/// As for [`get`].
pub fn acknowledge(
    page_id: &str,
    item_id: Option<&str>,
    by: &Actor,
) -> Result<String, CommandError> {
    host::commands::acknowledge(page_id, item_id, by)
}

/// Reports that a page that this plugin delivered was shown or pressed (verb `receipt`). `by` is
/// who pressed, if the channel tells.
///
/// # Errors
/// As for [`get`].
pub fn receipt(page_id: &str, receipt: Receipt, by: Option<&Actor>) -> Result<(), CommandError> {
    host::commands::receipt(page_id, receipt, by)
}

/// Answers a prompt, by its message's id, with one of its choices (verb `answer`).
///
/// # Errors
/// As for [`get`].
pub fn answer(prompt_id: &str, choice_id: &str, by: &Actor) -> Result<String, CommandError> {
    host::commands::answer(prompt_id, choice_id, by)
}

/// Adds an entry to the incident's log (verb `log`).
///
/// # Errors
/// As for [`get`].
pub fn add_log(incident_id: &str, entry: &LogDraft, by: &Actor) -> Result<(), CommandError> {
    host::commands::add_log(incident_id, entry, by)
}

/// Records the incident's id in the external system (verb `link`). Idempotent.
///
/// # Errors
/// As for [`get`].
pub fn link(
    incident_id: &str,
    kind: &str,
    id: &str,
    url: Option<&str>,
) -> Result<(), CommandError> {
    host::commands::link(incident_id, kind, id, url)
}

/// Records a deployment or another change, in the shape of `POST /v2/change/enqueue` without its
/// `routing_key` (verb `record-change`). `payload.timestamp` is required. A change that is reported
/// again under the same `id`, which may have 255 bytes, is the same change.
///
/// # Errors
/// As for [`get`].
pub fn record_change(change: &Value) -> Result<(), CommandError> {
    host::commands::record_change(&change.to_string())
}

/// Sends an alert, or a list of them, in the format of the generic source (verb `signal`). The
/// plugin is its sender, as an integration of that name would be.
///
/// # Errors
/// As for [`get`].
pub fn signal(signal: &Value) -> Result<(), CommandError> {
    host::commands::signal(&signal.to_string())
}
