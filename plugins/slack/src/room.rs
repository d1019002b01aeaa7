//! The war room: one for each incident, however often its events are delivered, in whatever order,
//! by however many calls at once.
//!
//! The room's row in the plugin's store is claimed before anything is created, and says what was
//! tried. A channel of the right name is adopted only if it is known to be ours: it carries the
//! incident's marker in its topic or purpose, or it is still bare, younger than the incident, and
//! this row says that we tried to create just that name and may have.

mod channel;
mod claim;

use crate::blocks::Message;
use crate::post::Post;
use channel::{invite, set_topic, tolerate};
use claim::Claim;
use serde::{Deserialize, Serialize};
use tocsin_plugin_sdk::types::{Delivery, Failure, Incident, Person};
use tocsin_plugin_sdk::{kv, log};

/// Rows of incidents that nobody spoke of for so long are dropped; the marker finds the room.
const ROOM_TTL_MS: u64 = 30 * 24 * 3_600_000;

/// The row of a room.
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

/// The channel of an incident's room, if it is there.
pub(crate) fn known(incident: &Incident) -> Result<Option<String>, Failure> {
    Ok(kv::get::<Row>(&key(&incident.id, incident.security))?.and_then(|it| it.value.channel))
}

/// The public room of an incident that was flagged as a security incident since.
pub(crate) fn public(incident_id: &str) -> Result<Option<String>, Failure> {
    Ok(kv::get::<Row>(&key(incident_id, false))?.and_then(|it| it.value.channel))
}

/// The incident's room, created if it is not there.
///
/// # Errors
/// Retry when Slack is away or another delivery is creating it.
pub(crate) fn ensure(incident: &Incident, delivery: &Delivery) -> Result<Room, Failure> {
    let key = key(&incident.id, incident.security);
    let found = kv::get::<Row>(&key)?;
    if let Some(found) = &found
        && found.value.ready
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
    let result = claim.furnish(incident);
    if result.is_err() {
        claim.release();
    }
    result?;
    let channel = claim.row.channel.clone().unwrap_or_default();
    Ok(Room {
        key: claim.key,
        row: claim.row,
        revision: claim.revision,
        channel,
    })
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
        invite(&self.channel, people, &mut self.row.invited)?;
        if self.row.invited.len() == before {
            Ok(())
        } else {
            self.save()
        }
    }

    /// What is lost when another call was faster is only the note of who was invited and what the
    /// topic shows; both are safe to repeat.
    fn save(&mut self) -> Result<(), Failure> {
        match kv::swap(&self.key, Some(self.revision), &self.row, Some(ROOM_TTL_MS))? {
            Some(revision) => self.revision = revision,
            None => log::debug(
                "another call wrote the room's row",
                &[("channel", &self.channel)],
            ),
        }
        Ok(())
    }
}

/// Tells those in the public room that the incident went on in private.
pub(crate) fn say_moved(incident: &Incident, event_id: &str) -> Result<(), Failure> {
    let Some(channel) = public(&incident.id)? else {
        return Ok(());
    };
    let line = ":lock: This incident goes on in a private room. Please do not discuss it here.";
    let effect = format!("moved:{event_id}");
    let message = Message::line(line.into());
    Post {
        channel: &channel,
        effect,
        since: incident.opened_at,
        message,
    }
    .send()?;
    let topic = format!("Incident #{} goes on in a private room", incident.number);
    tolerate(
        "conversations.setTopic",
        &[("channel", &channel), ("topic", &topic)],
    )
}

fn key(incident_id: &str, private: bool) -> String {
    let kind = if private { "private-room" } else { "room" };
    format!("{kind}:{incident_id}")
}
