//! The war room: one for each incident, however often its events are delivered, in whatever order,
//! by however many calls at once.
//!
//! The room's row in the plugin's store is claimed before anything is created, and says what was
//! tried. A channel of the right name is adopted only if it is known to be ours: it carries the
//! incident's marker in its topic or purpose, or it is still bare, younger than the incident, and
//! this row says that we tried to create just that name and may have.
//!
//! A security incident has a private room. When the flag comes late, the incident moves
//! ([`moving`]): whichever event shows the flag first finishes the move, and from the moment that
//! the private room has a row, nothing goes to the public one, however old the event.

mod channel;
mod claim;
mod moving;

use channel::{invite, set_topic};
use claim::Claim;
use serde::{Deserialize, Serialize};
use tocsin_plugin_sdk::commands::{self, CommandError};
use tocsin_plugin_sdk::types::{Delivery, Failure, Incident, Person};
use tocsin_plugin_sdk::{kv, log};

/// Rows of incidents that nobody spoke of for so long are dropped; the marker finds the room.
const ROOM_TTL_MS: u64 = 30 * 24 * 3_600_000;
/// How often a note is written again because another call was faster.
const SAVES_MAX: usize = 3;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Row {
    channel: Option<String>,
    /// The name that we tried to create, and that may be there.
    tried: Option<String>,
    /// Topic, purpose, people and the opening message are there.
    ready: bool,
    /// The incident's revision that the topic shows.
    topic_revision: u64,
    /// People who were invited, by Slack's ids.
    invited: Vec<String>,
    /// The delivery that works on it.
    holder: String,
    held_until: u64,
    /// Of a private room: it says where the incident came from.
    #[serde(default)]
    arrived: bool,
    /// Of a private room: no public one is in use beside it.
    #[serde(default)]
    alone: bool,
    /// Of a public room: it says that the incident moved.
    #[serde(default)]
    told: bool,
    /// Of a public room: the incident moved, and nothing may go there.
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

/// The incident's room, created if it is not there; moved if it is public and must not be.
///
/// # Errors
/// Retry when Slack is away or another delivery is creating it.
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
        moving::open_alone(&mut claim, incident, delivery)
    } else {
        claim.furnish(incident, false)
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

/// An event may tell of the time before the flag: what counts is the incident as it is now. A
/// room that is private stays so, even if the flag is taken back.
fn is_private(incident: &Incident) -> Result<bool, Failure> {
    if incident.security || kv::get::<Row>(&key(&incident.id, true))?.is_some() {
        return Ok(true);
    }
    match commands::get(&incident.id) {
        Ok(now) => Ok(now.security),
        // Not ours to ask: then the event's own word counts.
        Err(CommandError::NotFound | CommandError::Denied(_)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

impl Room {
    /// Brings the topic up to date, unless it shows something newer.
    pub(crate) fn retitle(&mut self, incident: &Incident) -> Result<(), Failure> {
        if incident.revision <= self.row.topic_revision {
            return Ok(());
        }
        set_topic(&self.channel, incident)?;
        self.row.topic_revision = incident.revision;
        self.save()
    }

    /// Invites those who are not in it yet.
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

    /// Whoever was invited must be noted even when another call writes at the same time: they are
    /// invited again if the incident moves.
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
