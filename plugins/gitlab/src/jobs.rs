//! Jobs that webhooks queue. GitLab does not repeat a webhook that failed, and a job is.

use crate::changes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tocsin_plugin_sdk::commands::{self, LogDraft};
use tocsin_plugin_sdk::jobs;
use tocsin_plugin_sdk::serde_json::{self, Value, json};
use tocsin_plugin_sdk::types::{Actor, Failure, Job, LogKind, Outcome, Timestamp};

const RECORD: &str = "record";
const LOG: &str = "log";

/// An entry of an incident's log.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) incident: String,
    /// A username in GitLab.
    pub(crate) author: String,
    pub(crate) body: String,
    pub(crate) at: Timestamp,
    pub(crate) link: Option<String>,
}

#[derive(Deserialize)]
struct Record {
    id: String,
    is_over: bool,
    change: Value,
}

/// Queues a change.
///
/// # Errors
/// When the queue is full.
pub(crate) fn record_later(id: &str, is_over: bool, change: &Value) -> Result<(), Failure> {
    let payload = json!({ "id": id, "is_over": is_over, "change": change });
    jobs::enqueue(RECORD, &payload, None).map(drop)
}

/// Queues an entry.
///
/// # Errors
/// When the queue is full.
pub(crate) fn log_later(entry: &Entry) -> Result<(), Failure> {
    jobs::enqueue(LOG, &json!(entry), None).map(drop)
}

/// Runs one job.
///
/// # Errors
/// Those of the engine.
pub(crate) fn handle(job: &Job) -> Result<Outcome, Failure> {
    match job.topic.as_str() {
        RECORD => {
            let record: Record = payload(job)?;
            if changes::is_outdated(&record.id, record.is_over)? {
                return Ok(Outcome::Ignored);
            }
            commands::record_change(&record.change)?;
        }
        LOG => {
            let entry: Entry = payload(job)?;
            let draft = LogDraft {
                kind: LogKind::Note,
                body: entry.body,
                at: Some(entry.at),
                author: Some(Actor::by_contact("gitlab", &entry.author)),
                link: entry.link,
                extra: "{}".into(),
            };
            // Whoever writes on the issue need not be in the configuration.
            let by = Actor::by_contact("plugin", "gitlab");
            commands::add_log(&entry.incident, &draft, &by)?;
        }
        _ => return Ok(Outcome::Ignored),
    }
    Ok(Outcome::Done)
}

fn payload<T: DeserializeOwned>(job: &Job) -> Result<T, Failure> {
    serde_json::from_str(&job.payload).map_err(|error| {
        Failure::Permanent(format!(
            "the payload of job {} is invalid: {error}",
            job.topic
        ))
    })
}
