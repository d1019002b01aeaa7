//! Tells everybody that an incident has begun, who has it, and that it is over: engineers in the
//! engineering channel, and from grade major on the company in its channel.
//!
//! Each channel has one message per incident, which is edited as the incident changes, and its end
//! is a reply to it that the channel shows too. Incidents that begin soon after one another share a
//! message, so that a storm is one message that grows. A security incident is not announced.
//!
//! An event only notes that an incident changed, and a job that runs every few seconds shows all
//! that was noted. So one call at a time changes the messages, and a storm stays within Slack's
//! limits.

mod board;
mod entry;
mod shown;

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tocsin_plugin_sdk::commands::{self, CommandError};
use tocsin_plugin_sdk::serde_json::json;
use tocsin_plugin_sdk::types::{
    Delivery, Failure, Grade, Incident, IncidentChange, Outcome, Status, Timestamp,
};
use tocsin_plugin_sdk::{clock, config, jobs, kv, log};

use board::Board;
use entry::Entry;

/// The job that shows what was noted.
pub(crate) const TOPIC: &str = "announce";
/// How long changes are gathered, in milliseconds: two channels are edited at most 40 times a
/// minute, and Slack allows 50.
const GATHER_MS: u64 = 3_000;
/// An incident joins the message of those before it if the last of these joined within this, in
/// milliseconds.
const JOIN_MS: u64 = 300_000;
/// Most incidents that one run shows: a call may read 100.
const INCIDENTS_PER_RUN_MAX: u32 = 50;
/// How long a change waits to be shown if the job cannot run, in milliseconds.
const NOTED_TTL_MS: u64 = 24 * 3_600_000;
/// How long messages are edited after their last change, in milliseconds.
const BOARD_TTL_MS: u64 = 30 * 24 * 3_600_000;
/// How long an incident that is over is remembered, in milliseconds, as it may reopen.
const OVER_TTL_MS: u64 = 3 * 24 * 3_600_000;

/// Who reads an announcement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Readers {
    Engineering,
    Company,
}

impl Readers {
    const ALL: [Self; 2] = [Self::Engineering, Self::Company];

    fn as_str(self) -> &'static str {
        match self {
            Self::Engineering => "engineering",
            Self::Company => "company",
        }
    }

    /// The channel's id; none if the operator has not set it.
    fn channel(self) -> Option<String> {
        let setting = format!("{}-channel", self.as_str());
        config::get(&setting).filter(|it| !it.is_empty())
    }

    /// Whether they hear of an incident that they have not heard of yet.
    fn want(self, incident: &Incident) -> bool {
        if incident.security || !is_active(incident) {
            return false;
        }
        match self {
            Self::Engineering => true,
            // A major one is said to be looked after, so somebody must.
            Self::Company => {
                let is_attended = is_attended(incident) && incident.grade == Grade::Major;
                !incident.drill && (incident.grade == Grade::Critical || is_attended)
            }
        }
    }
}

/// Where an incident is announced.
type Places = BTreeMap<Readers, String>;

/// Notes that an incident opened, or has a new room.
///
/// # Errors
/// When the store is unavailable.
pub(crate) fn opened(incident: &Incident) -> Result<(), Failure> {
    note(&incident.id)
}

/// Notes a change, if an announcement shows it.
///
/// # Errors
/// As [`opened`].
pub(crate) fn changed(change: &IncidentChange) -> Result<(), Failure> {
    let seen = |it: &Incident| (Entry::of(it), it.security, is_attended(it));
    match seen(&change.before) == seen(&change.after) {
        true => Ok(()),
        false => note(&change.after.id),
    }
}

fn note(incident: &str) -> Result<(), Failure> {
    if Readers::ALL.iter().all(|it| it.channel().is_none()) {
        return Ok(());
    }
    let noted = kv::set(&noted_key(incident), &true, Some(NOTED_TTL_MS)).map(drop);
    let queued = noted
        .and_then(|()| jobs::enqueue_after(GATHER_MS, TOPIC, &json!({}), Some(TOPIC)).map(drop));
    // A full store or queue must not keep the war room from opening.
    match queued {
        Err(Failure::Permanent(why)) => {
            log::error(&why, &[("incident", incident)]);
            Ok(())
        }
        other => other,
    }
}

/// Shows what was noted.
///
/// # Errors
/// Those of Slack and the store; what a retry or the operator can fix stays noted.
pub(crate) fn run(delivery: &Delivery) -> Result<Outcome, Failure> {
    let noted = noted()?;
    let mut incidents = Vec::new();
    for (id, _) in &noted {
        match commands::get(id) {
            Ok(incident) => incidents.push(incident),
            Err(CommandError::NotFound) => {}
            Err(error) => return Err(error.into()),
        }
    }
    // What one channel refuses must not keep the other from hearing of it.
    let results = Readers::ALL.map(|it| match it.channel() {
        Some(channel) => show(it, &channel, &incidents, delivery),
        None => Ok(()),
    });
    let failed = results.into_iter().find_map(Result::err);
    if let Some(failure @ (Failure::Retry(_) | Failure::Misconfigured(_))) = failed {
        return Err(failure);
    }
    for (id, revision) in &noted {
        // A change that was noted meanwhile stays.
        kv::swap(&noted_key(id), Some(*revision), &false, Some(1))?;
    }
    if noted.len() == INCIDENTS_PER_RUN_MAX as usize {
        jobs::enqueue_after(GATHER_MS, TOPIC, &json!({}), Some(TOPIC))?;
    }
    failed.map_or(Ok(Outcome::Done), Err)
}

/// The incidents that were noted, with the revisions of the notes.
fn noted() -> Result<Vec<(String, u64)>, Failure> {
    let (mut noted, mut cursor) = (Vec::new(), None);
    loop {
        let page = kv::keys(&noted_key(""), cursor.as_deref(), INCIDENTS_PER_RUN_MAX)?;
        for key in &page.keys {
            if let Some(row) = kv::get::<bool>(key)?.filter(|it| it.value) {
                let id = key.trim_start_matches(&noted_key("")).to_owned();
                noted.push((id, row.revision));
            }
        }
        cursor = page.cursor;
        if cursor.is_none() || noted.len() >= INCIDENTS_PER_RUN_MAX as usize {
            noted.truncate(INCIDENTS_PER_RUN_MAX as usize);
            return Ok(noted);
        }
    }
}

/// Shows incidents in one channel: in the messages that name them, and those that it has not heard
/// of in the newest message, or in a new one.
fn show(
    readers: Readers,
    channel: &str,
    incidents: &[Incident],
    delivery: &Delivery,
) -> Result<(), Failure> {
    let mut boards: Vec<Board> = Vec::new();
    for incident in incidents {
        let places = kv::get::<Places>(&places_key(&incident.id))?;
        let mut places = places.map_or_else(Places::new, |it| it.value);
        let known = places.get(&readers).cloned();
        let id = match known {
            Some(id) => id,
            None if readers.want(incident) => standing(readers, channel, incident)?,
            None => continue,
        };
        let at = match boards.iter().position(|it| it.is(&id)) {
            Some(at) => at,
            None => {
                boards.push(Board::load(readers, channel, &id, delivery)?);
                boards.len() - 1
            }
        };
        boards[at].take(incident);
        places.insert(readers, id);
        let ttl_ms = match is_active(incident) {
            true => BOARD_TTL_MS,
            false => OVER_TTL_MS,
        };
        kv::set(&places_key(&incident.id), &places, Some(ttl_ms))?;
    }
    boards.iter_mut().try_for_each(Board::show)
}

/// The newest message in a channel.
#[derive(Serialize, Deserialize)]
struct Standing {
    board: String,
    channel: String,
    /// When the last incident joined it.
    joined_at: Timestamp,
    /// How many have.
    count: usize,
}

/// The message that an incident joins, or begins.
fn standing(readers: Readers, channel: &str, incident: &Incident) -> Result<String, Failure> {
    let key = format!("standing:{}", readers.as_str());
    let now = clock::now();
    let last = kv::get::<Standing>(&key)?.map(|it| it.value);
    let recent = last.filter(|it| {
        let is_recent = now.saturating_sub(it.joined_at) < JOIN_MS;
        is_recent && it.channel == channel && it.count < board::ENTRIES_MAX
    });
    let mut standing = recent.unwrap_or_else(|| Standing {
        board: incident.id.clone(),
        channel: channel.into(),
        joined_at: now,
        count: 0,
    });
    standing.joined_at = now;
    standing.count += 1;
    kv::set(&key, &standing, Some(JOIN_MS))?;
    Ok(standing.board)
}

fn is_active(incident: &Incident) -> bool {
    matches!(incident.status, Status::Open | Status::Mitigated)
}

/// Whether somebody looks after it.
fn is_attended(incident: &Incident) -> bool {
    incident.acknowledged_at.is_some() || incident.operator.is_some()
}

/// The row that says that an incident changed.
fn noted_key(incident: &str) -> String {
    format!("announce:{incident}")
}

/// The row that says where an incident is announced.
fn places_key(incident: &str) -> String {
    format!("announced:{incident}")
}

#[cfg(test)]
pub(crate) mod tests;
