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
pub(crate) mod involved;
mod moving;

use channel::{invite, set_topic};
use claim::Claim;
use serde::{Deserialize, Serialize};
use tocsin_plugin_sdk::commands::{self, CommandError};
use tocsin_plugin_sdk::types::{
    Delivery, Failure, Grade, Incident, Outcome, Person, Status, Timestamp,
};
use tocsin_plugin_sdk::{config, kv, log};

use crate::blocks::Message;
use crate::post::Post;

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
    /// Those who were not, as they may not see a security incident.
    #[serde(default)]
    withheld: Vec<String>,
    /// The delivery that holds the claim.
    holder: String,
    held_until: u64,
    /// The pinned message's id; none of a room that an earlier release opened.
    #[serde(default)]
    summary: Option<String>,
    /// How many rooms it replaces, which the app could no longer post to.
    #[serde(default)]
    replaced: u32,
    /// The last of these.
    #[serde(default)]
    before: Option<String>,
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
    Ok(channel(&incident.id)?.is_some())
}

/// The channel of the incident's room, if it has one.
pub(crate) fn channel(incident_id: &str) -> Result<Option<String>, Failure> {
    Ok(in_use(incident_id)?.and_then(|(row, _)| row.channel))
}

/// The channel and the id of the pinned message, if the incident has a room with one that may show
/// it: what is secret is shown in the private room only.
pub(crate) fn pinned(incident: &Incident) -> Result<Option<(String, String)>, Failure> {
    let found = in_use(&incident.id)?.filter(|(_, is_private)| *is_private || !incident.security);
    Ok(found.and_then(|(row, _)| row.channel.zip(row.summary)))
}

/// The row of the room that the incident did not leave, and whether it is the private one.
fn in_use(incident_id: &str) -> Result<Option<(Row, bool)>, Failure> {
    for private in [true, false] {
        let row = kv::get::<Row>(&key(incident_id, private))?;
        if let Some(row) = row.map(|it| it.value).filter(|it| !it.left) {
            return Ok(Some((row, private)));
        }
    }
    Ok(None)
}

/// Whether the incident has or gets a room. The setting names the grade from which on it does; a
/// security incident always does.
///
/// # Errors
/// When the store is unavailable.
pub(crate) fn is_wanted(incident: &Incident) -> Result<bool, Failure> {
    let from = config::get("room-from-grade").unwrap_or_default();
    let is_grave = match from.as_str() {
        "never" => false,
        "critical" => incident.grade == Grade::Critical,
        "major" => incident.grade != Grade::Minor,
        _ => true,
    };
    Ok(incident.security || is_grave || exists(incident)?)
}

/// The channel that the incident is linked to. Other chats may have rooms of it too.
pub(crate) fn linked(incident: &Incident) -> Option<&str> {
    let mut refs = incident.refs.iter();
    let own = refs.find(|it| it.kind == "channel" && it.plugin == "slack");
    own.map(|it| it.id.as_str())
}

/// Whether all war rooms are private.
pub(crate) fn are_private() -> bool {
    config::get("rooms").is_some_and(|it| it == "private")
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
    let claim = Claim::take(key, row, revision, delivery)?;
    open(claim, private, incident, delivery)
}

fn open(
    mut claim: Claim,
    private: bool,
    incident: &Incident,
    delivery: &Delivery,
) -> Result<Room, Failure> {
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

/// Opens another room in place of one that the app can no longer post to.
fn replace(gone: &str, incident: &Incident, delivery: &Delivery) -> Result<Room, Failure> {
    let private = is_private(incident)?;
    let key = key(&incident.id, private);
    let found = kv::get::<Row>(&key)?;
    let Some(found) = found.filter(|it| it.value.channel.as_deref() == Some(gone)) else {
        // Another call has replaced it.
        return ensure(incident, delivery);
    };
    let mut claim = Claim::take(key, found.value, Some(found.revision), delivery)?;
    claim.give_up(gone)?;
    log::info(
        "the war room can no longer be posted to; another one replaces it",
        &[("channel", gone), ("incident", &incident.id)],
    );
    open(claim, private, incident, delivery)
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
    /// Posts a message. If somebody archived or deleted the room, or removed the app from it,
    /// another room replaces it while the incident is active; later nobody misses the message.
    ///
    /// # Errors
    /// Those of Slack and the store.
    pub(crate) fn post(
        &mut self,
        (effect, since): (String, Timestamp),
        message: Message,
        incident: &Incident,
        delivery: &Delivery,
    ) -> Result<Outcome, Failure> {
        let post = Post::new(&self.channel, effect.clone(), since, message.clone());
        match post.try_send() {
            Ok(_) => return Ok(Outcome::Done),
            Err(error) if !error.is_gone() => {
                return Err(error.into_failure("chat.postMessage"));
            }
            Err(_) => {}
        }
        // The event may be older than the end of the incident.
        let now = match commands::get(&incident.id) {
            Err(CommandError::NotFound | CommandError::Denied(_)) => incident.clone(),
            result => result?,
        };
        if !matches!(now.status, Status::Open | Status::Mitigated) {
            let why = "the war room of an incident that is over is gone";
            log::info(why, &[("channel", &self.channel)]);
            return Ok(Outcome::Ignored);
        }
        *self = replace(&self.channel, &now, delivery)?;
        Post::new(&self.channel, effect, since, message).send()?;
        Ok(Outcome::Done)
    }

    /// Updates the topic, unless it shows a newer revision.
    pub(crate) fn update_topic(&mut self, incident: &Incident) -> Result<(), Failure> {
        if incident.revision <= self.row.topic_revision {
            return Ok(());
        }
        set_topic(&self.channel, incident)?;
        self.row.topic_revision = incident.revision;
        self.save()
    }

    /// Invites people who have not been invited yet. The room of a security incident says who may
    /// not be, also once the flag is removed: it has everything from before, and the flag may
    /// return.
    pub(crate) fn invite(&mut self, people: &[Person], incident: &Incident) -> Result<(), Failure> {
        let is_private = self.key == key(&incident.id, true);
        let known = |row: &Row| row.invited.len() + row.withheld.len();
        let before = known(&self.row);
        let users = channel::users(people);
        let room = (self.channel.as_str(), is_private);
        invite(room, incident, &users, &mut self.row)?;
        if known(&self.row) == before {
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
            add(&mut self.row.invited, mine.invited);
            add(&mut self.row.withheld, mine.withheld);
        }
        log::debug(
            "another call wrote the room's row",
            &[("channel", &self.channel)],
        );
        Ok(())
    }
}

/// Adds the users who are not there yet.
fn add(all: &mut Vec<String>, users: Vec<String>) {
    for user in users {
        if !all.contains(&user) {
            all.push(user);
        }
    }
}

fn key(incident_id: &str, private: bool) -> String {
    let kind = if private { "private-room" } else { "room" };
    format!("{kind}:{incident_id}")
}

#[cfg(test)]
mod tests;
