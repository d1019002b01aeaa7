//! Archives the war rooms of closed incidents once nobody needs them any more.
//!
//! A row for each closed incident says when, and sorts by it; one job that queues itself again
//! looks at the first rows. So neither Slack's channels nor rooms that are not due are listed,
//! however many there are.

use crate::{api, room};
use serde::{Deserialize, Serialize};
use tocsin_plugin_sdk::commands::{self, CommandError};
use tocsin_plugin_sdk::serde_json::json;
use tocsin_plugin_sdk::types::{Failure, IncidentChange, Outcome, Status, Timestamp};
use tocsin_plugin_sdk::{clock, config, jobs, kv, log};

/// The job that archives what is due.
pub(crate) const TOPIC: &str = "archive";
/// Longest time until a room is archived, in days.
pub(crate) const DAYS_MAX: i64 = 180;
const DAYS: u64 = 14;
/// Prefix of the rows' keys.
const PREFIX: &str = "archive:";
const DAY_MS: u64 = 24 * 3_600_000;
/// Most rooms that one run archives: Slack allows 20 a minute.
const ROOMS_PER_RUN_MAX: u32 = 10;
/// How soon it runs again if more are due, in milliseconds.
const AGAIN_MS: u64 = 60_000;
/// How long a room that is due waits if the job cannot run, in milliseconds.
const LATE_MS: u64 = 30 * DAY_MS;

/// A closed incident and its room.
#[derive(Serialize, Deserialize)]
struct Closed {
    incident: String,
    channel: String,
    at: Timestamp,
}

/// Has the room of an incident that was closed archived later.
///
/// # Errors
/// When the store is unavailable.
pub(crate) fn changed(change: &IncidentChange) -> Result<(), Failure> {
    let is_closed = |status: Status| status == Status::Closed;
    if is_closed(change.before.status) || !is_closed(change.after.status) {
        return Ok(());
    }
    let Some(after_ms) = after_ms() else {
        return Ok(());
    };
    let incident = change.after.id.clone();
    // The row of a room expires, and the incident is still linked to it.
    let linked = room::linked(&change.after).map(Into::into);
    let room = room::channel(&incident)?.or(linked);
    let Some(channel) = room else {
        return Ok(());
    };
    let at = clock::now();
    let row = key(at + after_ms, &incident);
    let closed = Closed {
        incident,
        channel,
        at,
    };
    let kept = kv::set(&row, &closed, Some(after_ms + LATE_MS)).map(drop);
    // A full store must not keep the room from hearing that the incident is closed.
    match kept.and_then(|()| again(after_ms.min(DAY_MS))) {
        Err(Failure::Permanent(why)) => {
            log::warn(&why, &[("key", &row)]);
            Ok(())
        }
        other => other,
    }
}

/// Archives rooms that are due.
///
/// # Errors
/// Those of Slack and the store; a retry continues.
pub(crate) fn run() -> Result<Outcome, Failure> {
    if after_ms().is_none() {
        return Ok(Outcome::Ignored);
    }
    let now = clock::now();
    let (mut cursor, mut done) = (None, 0);
    loop {
        let page = kv::keys(PREFIX, cursor.as_deref(), ROOMS_PER_RUN_MAX)?;
        for row in &page.keys {
            let due = due_of(row);
            if due > now {
                again((due - now).min(DAY_MS))?;
                return Ok(Outcome::Done);
            }
            if done == ROOMS_PER_RUN_MAX {
                again(AGAIN_MS)?;
                return Ok(Outcome::Done);
            }
            if let Some(closed) = kv::get::<Closed>(row)? {
                archive(&closed.value)?;
            }
            kv::delete(row)?;
            done += 1;
        }
        cursor = page.cursor;
        if cursor.is_none() {
            return Ok(Outcome::Done);
        }
    }
}

/// Archives the room of an incident that is still closed. If it was open again since, another row
/// says when its room is archived.
fn archive(closed: &Closed) -> Result<(), Failure> {
    let incident = match commands::get(&closed.incident) {
        Err(CommandError::NotFound) => return Ok(()),
        result => result?,
    };
    let was_open_since = incident.resolved_at.is_some_and(|it| it > closed.at);
    if incident.status != Status::Closed || was_open_since {
        return Ok(());
    }
    let method = "conversations.archive";
    match api::post(method, &[("channel", &closed.channel)], None) {
        Err(error) if error.is("already_archived") => Ok(()),
        Err(error) => match error.into_failure(method) {
            Failure::Permanent(why) => {
                log::warn(&why, &[("channel", &closed.channel)]);
                Ok(())
            }
            other => Err(other),
        },
        Ok(_) => Ok(()),
    }
}

fn again(delay_ms: u64) -> Result<(), Failure> {
    jobs::enqueue_after(delay_ms, TOPIC, &json!({}), Some(TOPIC)).map(drop)
}

/// How long after its end the room of an incident is archived; none for never.
fn after_ms() -> Option<u64> {
    let days = config::get("archive-after-days").and_then(|it| it.parse().ok());
    Some(days.unwrap_or(DAYS) * DAY_MS).filter(|it| *it > 0)
}

/// Sorts by the time.
fn key(due: Timestamp, incident: &str) -> String {
    format!("{PREFIX}{due:020}:{incident}")
}

fn due_of(key: &str) -> Timestamp {
    let due = key.trim_start_matches(PREFIX).split(':').next();
    due.and_then(|it| it.parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
