//! The war room: exactly one per incident, however often, in whatever order and by however many
//! concurrent calls its events are delivered.
//!
//! The room's row in the plugin's store is claimed before anything is created, and records what was
//! tried. A channel with the right name is adopted only if it is known to be ours: it has the
//! incident's marker in its topic or purpose, or it has neither topic nor purpose, is younger than
//! the incident, and the row records that we tried to create exactly that name.
//!
//! A security incident has a private room. If it is flagged late, the incident moves ([`moving`]):
//! the first event that shows the flag performs the move, and once the private room has a row,
//! nothing is posted to the public one, however old the event.

mod channel;
mod claim;
mod moving;

pub(crate) use channel::people;
use channel::{invite, set_topic};
use claim::Claim;
use serde::{Deserialize, Serialize};
use tocsin_plugin_sdk::commands::{self, CommandError};
use tocsin_plugin_sdk::types::{Delivery, Failure, Incident, Person};
use tocsin_plugin_sdk::{kv, log};

/// Rows of incidents without events for this long expire; the marker still identifies the room.
const ROOM_TTL_MS: u64 = 30 * 24 * 3_600_000;
/// How often a write is retried after a conflict with another call.
const SAVES_MAX: usize = 3;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Row {
    channel: Option<String>,
    /// The name that we tried to create, and that may exist.
    tried: Option<String>,
    /// Topic, purpose, members and the opening message are set.
    ready: bool,
    /// The incident's revision that the topic shows.
    topic_revision: u64,
    /// Slack ids of the people who were invited.
    invited: Vec<String>,
    /// The delivery that holds the claim.
    holder: String,
    held_until: u64,
    /// The pinned message's id; none of a room that an earlier release opened.
    #[serde(default)]
    summary: Option<String>,
    /// For a private room: the message about the move was posted in it.
    #[serde(default)]
    arrived: bool,
    /// For a private room: no public room is in use.
    #[serde(default)]
    alone: bool,
    /// For a public room: the message about the move was posted in it.
    #[serde(default)]
    told: bool,
    /// For a public room: the incident moved, and nothing may be posted in it.
    #[serde(default)]
    left: bool,
}

/// A room that this call may change.
#[derive(Debug)]
pub(crate) struct Room {
    key: String,
    row: Row,
    revision: u64,
    /// The channel's id.
    pub(crate) channel: String,
}

/// Whether the incident has a room, public or private.
pub(crate) fn exists(incident: &Incident) -> Result<bool, Failure> {
    for private in [true, false] {
        let row = kv::get::<Row>(&key(&incident.id, private))?;
        if row.is_some_and(|it| it.value.channel.is_some()) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The channel and the id of the pinned message, if the incident has a room with one.
pub(crate) fn pinned(incident_id: &str) -> Result<Option<(String, String)>, Failure> {
    for private in [true, false] {
        let row = kv::get::<Row>(&key(incident_id, private))?;
        let row = row.map(|it| it.value).filter(|it| !it.left);
        if let Some(row) = row {
            return Ok(row.channel.zip(row.summary));
        }
    }
    Ok(None)
}

/// The incident's room, created if necessary, and moved if it is public and must not be.
///
/// # Errors
/// Retry if Slack is down or another delivery is creating the room.
pub(crate) fn ensure(incident: &Incident, delivery: &Delivery) -> Result<Room, Failure> {
    let private = is_private(incident)?;
    let key = key(&incident.id, private);
    let found = kv::get::<Row>(&key)?;
    if let Some(found) = &found
        && found.value.ready
        && found.value.alone == private
        && let Some(channel) = found.value.channel.clone()
    {
        return Ok(Room {
            key,
            row: found.value.clone(),
            revision: found.revision,
            channel,
        });
    }
    let (row, revision) = found
        .map(|it| (it.value, Some(it.revision)))
        .unwrap_or_default();
    let mut claim = Claim::take(key, row, revision, delivery)?;
    let result = if private {
        moving::open_private(&mut claim, incident, delivery)
    } else {
        claim.set_up(incident, false)
    };
    claim.release(result)?;
    let channel = claim.row.channel.clone().unwrap_or_default();
    Ok(Room {
        key: claim.key,
        row: claim.row,
        revision: claim.revision,
        channel,
    })
}

/// An event may be older than the flag, so the incident's current state decides. A private room
/// stays private even if the flag is removed.
fn is_private(incident: &Incident) -> Result<bool, Failure> {
    if incident.security || kv::get::<Row>(&key(&incident.id, true))?.is_some() {
        return Ok(true);
    }
    match commands::get(&incident.id) {
        Ok(now) => Ok(now.security),
        // If we cannot read the incident, the event decides.
        Err(CommandError::NotFound | CommandError::Denied(_)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

impl Room {
    /// Updates the topic, unless it shows a newer revision.
    pub(crate) fn update_topic(&mut self, incident: &Incident) -> Result<(), Failure> {
        if incident.revision <= self.row.topic_revision {
            return Ok(());
        }
        set_topic(&self.channel, incident)?;
        self.row.topic_revision = incident.revision;
        self.save()
    }

    /// Invites people who have not been invited yet.
    pub(crate) fn invite(&mut self, people: &[&Person]) -> Result<(), Failure> {
        let before = self.row.invited.len();
        invite(
            &self.channel,
            &channel::users(people),
            &mut self.row.invited,
        )?;
        if self.row.invited.len() == before {
            Ok(())
        } else {
            self.save()
        }
    }

    /// Saves the row, and merges the invited people if another call writes at the same time: they
    /// must be invited again if the incident moves.
    fn save(&mut self) -> Result<(), Failure> {
        for _ in 0..SAVES_MAX {
            let saved = kv::swap(&self.key, Some(self.revision), &self.row, Some(ROOM_TTL_MS))?;
            if let Some(revision) = saved {
                self.revision = revision;
                return Ok(());
            }
            let Some(now) = kv::get::<Row>(&self.key)? else {
                break;
            };
            if now.value.left {
                let why = "the incident moved to a private room just now";
                return Err(Failure::retry_after(why, 0));
            }
            self.revision = now.revision;
            let mine = std::mem::replace(&mut self.row, now.value);
            self.row.topic_revision = self.row.topic_revision.max(mine.topic_revision);
            for user in mine.invited {
                if !self.row.invited.contains(&user) {
                    self.row.invited.push(user);
                }
            }
        }
        log::debug(
            "another call wrote the room's row",
            &[("channel", &self.channel)],
        );
        Ok(())
    }
}

fn key(incident_id: &str, private: bool) -> String {
    let kind = if private { "private-room" } else { "room" };
    format!("{kind}:{incident_id}")
}
