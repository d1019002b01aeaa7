//! The war room: one for each incident, however often its events are delivered, in whatever order,
//! by however many calls at once.
//!
//! The room's row in the plugin's store is claimed before anything is created, and says what was
//! tried. A channel of the right name is adopted only if it is known to be ours: it carries the
//! incident's marker in its topic or purpose, or it is still bare, younger than the incident, and
//! this row says that we tried to create just that name and may have.

use crate::api::{self, ApiError};
use crate::blocks::{self, Message};
use crate::post::Post;
use crate::{names, text};
use serde::{Deserialize, Serialize};
use tocsin_plugin_sdk::serde_json::Value;
use tocsin_plugin_sdk::types::{Delivery, Failure, Incident, Person};
use tocsin_plugin_sdk::{clock, commands, config, http, kv, log};

/// A call that holds the claim and dies is waited for so long.
const CLAIM_MS: u64 = 30_000;
/// Another delivery is at it: come back then.
const CLAIMED_RETRY_MS: u64 = 2_000;
/// How many names somebody else may have taken.
const NAMES_TRIED_MAX: u32 = 20;
/// Our own channels are searched, never the workspace's: at most so many pages.
const CHANNEL_PAGES_MAX: usize = 10;
const CHANNEL_PAGE: &str = "200";
/// Slack's clock and ours may differ.
const CLOCK_SKEW_S: u64 = 600;
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

/// The right to create and furnish a room.
struct Claim {
    key: String,
    row: Row,
    revision: u64,
    /// A name that an earlier call tried, and may have created.
    maybe_ours: Option<String>,
}

impl Claim {
    fn take(
        key: String,
        mut row: Row,
        revision: Option<u64>,
        delivery: &Delivery,
    ) -> Result<Self, Failure> {
        let busy =
            || Failure::retry_after("another delivery is opening the war room", CLAIMED_RETRY_MS);
        // A delivery never runs twice at a time, so its own claim is one that an earlier try left.
        let now = clock::now();
        if row.holder != delivery.idempotency_key && now < row.held_until {
            return Err(busy());
        }
        row.holder = delivery.idempotency_key.clone();
        row.held_until = now + CLAIM_MS;
        let maybe_ours = row.tried.clone();
        match kv::swap(&key, revision, &row, Some(ROOM_TTL_MS))? {
            Some(revision) => Ok(Claim {
                key,
                row,
                revision,
                maybe_ours,
            }),
            None => Err(busy()),
        }
    }

    fn save(&mut self) -> Result<(), Failure> {
        let saved = kv::swap(&self.key, Some(self.revision), &self.row, Some(ROOM_TTL_MS))?;
        self.revision = saved.ok_or_else(|| {
            Failure::retry_after("another delivery took over the war room", CLAIMED_RETRY_MS)
        })?;
        Ok(())
    }

    /// Lets the next delivery try at once. If that fails, the claim runs out by itself.
    fn release(&mut self) {
        self.row.held_until = 0;
        if let Err(error) = self.save() {
            log::debug(
                "the claim on the room was not released",
                &[("why", &format!("{error:?}"))],
            );
        }
    }

    fn furnish(&mut self, incident: &Incident) -> Result<(), Failure> {
        let channel = match &self.row.channel {
            Some(channel) => channel.clone(),
            None => {
                let channel = self.create(incident)?;
                self.row.channel = Some(channel.clone());
                self.save()?;
                channel
            }
        };
        let purpose = text::purpose(incident);
        tolerate(
            "conversations.setPurpose",
            &[("channel", &channel), ("purpose", &purpose)],
        )?;
        set_topic(&channel, incident)?;
        self.row.topic_revision = incident.revision;
        link(incident, &channel)?;
        let people: Vec<&Person> = [&incident.operator, &incident.spokesperson]
            .into_iter()
            .flatten()
            .collect();
        invite(&channel, &people, &mut self.row.invited)?;
        let effect = format!("opening:{}", self.key);
        let message = blocks::opening(incident);
        Post {
            channel: &channel,
            effect,
            since: incident.opened_at,
            message,
        }
        .send()?;
        self.row.ready = true;
        self.row.held_until = 0;
        self.save()
    }

    fn create(&mut self, incident: &Incident) -> Result<String, Failure> {
        let prefix = config::get("channel-prefix").unwrap_or_else(|| "inc".into());
        let private = if incident.security { "true" } else { "false" };
        for taken in 0..NAMES_TRIED_MAX {
            let name = names::room(
                &prefix,
                incident.number,
                &incident.title,
                incident.security,
                taken,
            );
            self.row.tried = Some(name.clone());
            self.save()?;
            match create_named(&name, private) {
                Ok(channel) => return Ok(channel),
                Err(error) if error.is("name_taken") => {
                    if let Some(channel) = find_ours(&name)?
                        && self.may_adopt(&channel, &name, incident)
                    {
                        let id = channel["id"].as_str().unwrap_or_default();
                        log::info("adopted the war room of an earlier try", &[("channel", id)]);
                        return Ok(id.to_string());
                    }
                }
                Err(error) => {
                    if matches!(error, ApiError::NotDone(_) | ApiError::Refused { .. }) {
                        self.row.tried.clone_from(&self.maybe_ours);
                    }
                    return Err(error.into_failure("conversations.create"));
                }
            }
        }
        let why = format!("{NAMES_TRIED_MAX} names for the war room are taken by others");
        Err(Failure::Permanent(why))
    }

    fn may_adopt(&self, channel: &Value, name: &str, incident: &Incident) -> bool {
        let text = |field: &str| channel[field]["value"].as_str().unwrap_or_default();
        let marker = text::marker(&incident.id);
        let marked = |text: &str| text.split_whitespace().any(|it| it == marker);
        if marked(text("purpose")) || marked(text("topic")) {
            return true;
        }
        let bare = text("purpose").is_empty() && text("topic").is_empty();
        let created_s = channel["created"].as_u64().unwrap_or_default();
        let young = created_s + CLOCK_SKEW_S >= incident.opened_at / 1000;
        bare && young && self.maybe_ours.as_deref() == Some(name)
    }
}

fn key(incident_id: &str, private: bool) -> String {
    let kind = if private { "private-room" } else { "room" };
    format!("{kind}:{incident_id}")
}

/// Creating is safe to repeat after a lost answer: names are unique, so a second one is refused.
fn create_named(name: &str, private: &str) -> Result<String, ApiError> {
    let once = format!("create:{name}");
    let params = [("name", name), ("is_private", private)];
    let mut result = api::post("conversations.create", &params, Some(&once));
    if matches!(result, Err(ApiError::Lost)) {
        http::forget(&once);
        result = api::post("conversations.create", &params, Some(&once));
    }
    if matches!(result, Err(ApiError::Unsure(_))) {
        http::forget(&once);
    }
    Ok(result?["channel"]["id"]
        .as_str()
        .unwrap_or_default()
        .to_string())
}

/// A channel of this name among those that the app itself is in.
fn find_ours(name: &str) -> Result<Option<Value>, Failure> {
    let mut cursor = String::new();
    for _ in 0..CHANNEL_PAGES_MAX {
        let mut params = vec![
            ("types", "public_channel,private_channel"),
            ("exclude_archived", "true"),
            ("limit", CHANNEL_PAGE),
        ];
        if !cursor.is_empty() {
            params.push(("cursor", cursor.as_str()));
        }
        let answer = api::get("users.conversations", &params)
            .map_err(|error| error.into_failure("users.conversations"))?;
        let channels = answer["channels"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        if let Some(found) = channels.iter().find(|it| it["name"] == name) {
            return Ok(Some(found.clone()));
        }
        let next = answer["response_metadata"]["next_cursor"]
            .as_str()
            .unwrap_or_default();
        if next.is_empty() {
            break;
        }
        cursor = next.to_string();
    }
    Ok(None)
}

fn set_topic(channel: &str, incident: &Incident) -> Result<(), Failure> {
    let topic = text::topic(incident);
    tolerate(
        "conversations.setTopic",
        &[("channel", channel), ("topic", &topic)],
    )
}

/// One call for each person: Slack refuses the whole list for one who cannot be invited.
fn invite(channel: &str, people: &[&Person], invited: &mut Vec<String>) -> Result<(), Failure> {
    for user in people.iter().filter_map(|it| it.contact("slack")) {
        if invited.iter().any(|it| it == user) {
            continue;
        }
        tolerate(
            "conversations.invite",
            &[("channel", channel), ("users", user)],
        )?;
        invited.push(user.into());
    }
    Ok(())
}

fn link(incident: &Incident, channel: &str) -> Result<(), Failure> {
    let url = format!("https://slack.com/app_redirect?channel={channel}");
    match commands::link(&incident.id, "channel", channel, Some(&url)).map_err(Failure::from) {
        Err(error @ Failure::Retry(_)) => Err(error),
        Err(error) => {
            log::warn(
                "the war room could not be linked",
                &[("why", &format!("{error:?}"))],
            );
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}

/// A refusal of what is only convenient must not keep the room from opening.
fn tolerate(method: &str, params: &[(&str, &str)]) -> Result<(), Failure> {
    match api::post(method, params, None) {
        Ok(_) => Ok(()),
        Err(error) if error.is("already_in_channel") => Ok(()),
        Err(error) => match error.into_failure(method) {
            Failure::Permanent(why) => {
                log::warn(&why, &[]);
                Ok(())
            }
            other => Err(other),
        },
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
