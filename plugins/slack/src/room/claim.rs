//! The claim on a room: only one call at a time creates and sets it up. A call can be interrupted
//! after any step, and the next one continues.

use super::{ROOM_TTL_MS, Row, channel, involved};
use crate::api::ApiError;
use crate::blocks::Message;
use crate::post::Post;
use crate::{announce, blocks, names, text};
use tocsin_plugin_sdk::serde_json::Value;
use tocsin_plugin_sdk::types::{Delivery, Failure, Incident};
use tocsin_plugin_sdk::{clock, kv, log};

/// How long a claim lasts if the call that holds it dies.
const CLAIM_MS: u64 = 30_000;
/// Retry delay while another delivery holds the claim.
const CLAIMED_RETRY_MS: u64 = 2_000;
/// How many names are tried.
pub(super) const NAMES_TRIED_MAX: u32 = 20;
/// Slack's clock and ours may differ.
const CLOCK_SKEW_S: u64 = 600;

/// The exclusive right to create and set up a room.
pub(super) struct Claim {
    pub(super) key: String,
    pub(super) row: Row,
    pub(super) revision: u64,
    /// A name that an earlier call tried, and may have created.
    maybe_ours: Option<String>,
    /// Whether an earlier call created the channel, and may have done more.
    is_resumed: bool,
}

impl Claim {
    /// Takes the claim, unless another delivery holds it.
    pub(super) fn take(
        key: String,
        mut row: Row,
        revision: Option<u64>,
        delivery: &Delivery,
    ) -> Result<Self, Failure> {
        let busy =
            || Failure::retry_after("another delivery is opening the war room", CLAIMED_RETRY_MS);
        // A delivery never runs twice concurrently, so its own claim is from an earlier attempt.
        let now = clock::now();
        if row.holder != delivery.idempotency_key && now < row.held_until {
            return Err(busy());
        }
        row.holder = delivery.idempotency_key.clone();
        row.held_until = now + CLAIM_MS;
        let maybe_ours = row.tried.clone();
        let is_resumed = row.channel.is_some();
        match kv::swap(&key, revision, &row, Some(ROOM_TTL_MS))? {
            Some(revision) => Ok(Claim {
                key,
                row,
                revision,
                maybe_ours,
                is_resumed,
            }),
            None => Err(busy()),
        }
    }

    /// Writes the row, if the claim still holds.
    pub(super) fn save(&mut self) -> Result<(), Failure> {
        let saved = kv::swap(&self.key, Some(self.revision), &self.row, Some(ROOM_TTL_MS))?;
        self.revision = saved.ok_or_else(|| {
            Failure::retry_after("another delivery took over the war room", CLAIMED_RETRY_MS)
        })?;
        Ok(())
    }

    /// Ends the work with this result and lets the next delivery try at once.
    pub(super) fn release(&mut self, result: Result<(), Failure>) -> Result<(), Failure> {
        self.row.held_until = 0;
        let saved = self.save();
        // The first failure is returned; the claim then expires.
        if let (Err(_), Err(error)) = (&result, &saved) {
            log::debug(
                "the claim on the room was not released",
                &[("why", &format!("{error:?}"))],
            );
        }
        result.and(saved)
    }

    /// Forgets a channel that the app can no longer post to, so that another one is set up.
    pub(super) fn give_up(&mut self, gone: &str) -> Result<(), Failure> {
        self.row = Row {
            channel: None,
            tried: None,
            ready: false,
            topic_revision: 0,
            summary: None,
            replaced: self.row.replaced + 1,
            before: Some(gone.into()),
            ..std::mem::take(&mut self.row)
        };
        (self.maybe_ours, self.is_resumed) = (None, false);
        self.save()
    }

    /// Creates the room, or continues where an earlier attempt stopped. Every step is repeatable.
    pub(super) fn set_up(&mut self, incident: &Incident, private: bool) -> Result<(), Failure> {
        let channel = match &self.row.channel {
            Some(channel) => channel.clone(),
            None => {
                let channel = self.create(incident, private)?;
                self.row.channel = Some(channel.clone());
                self.save()?;
                channel
            }
        };
        let purpose = text::purpose(incident);
        channel::tolerate(
            "conversations.setPurpose",
            &[("channel", &channel), ("purpose", &purpose)],
        )?;
        channel::set_topic(&channel, incident)?;
        self.row.topic_revision = incident.revision;
        channel::link(incident, &channel)?;
        if self.row.before.is_some() {
            channel::invite_again((&channel, private), incident, &mut self.row)?;
        }
        let people = involved::everybody(incident);
        let users = channel::users(&people);
        channel::invite((&channel, private), incident, &users, &mut self.row)?;
        let ts = match self.row.summary.clone() {
            Some(ts) => ts,
            None => {
                let effect = self.effect("opening");
                let message = blocks::summary(incident);
                let post = Post::new(&channel, effect, incident.opened_at, message);
                let ts = post.doubted(self.is_resumed).send()?;
                self.row.summary = Some(ts.clone());
                self.save()?;
                ts
            }
        };
        channel::pin(&channel, &ts)?;
        if let Some(before) = &self.row.before {
            let line = format!(
                ":recycle: This room replaces <#{before}>, which tocsin can no longer post to"
            );
            let (effect, line) = (self.effect("replaces"), Message::line(line));
            let post = Post::new(&channel, effect, incident.opened_at, line);
            post.doubted(self.is_resumed).send()?;
        }
        self.row.ready = true;
        self.save()?;
        announce::opened(incident)
    }

    /// The effect id of a message that each room of the incident gets once.
    fn effect(&self, what: &str) -> String {
        match self.row.replaced {
            0 => format!("{what}:{}", self.key),
            replaced => format!("{what}:{}:{replaced}", self.key),
        }
    }

    fn create(&mut self, incident: &Incident, private: bool) -> Result<String, Failure> {
        if let Some(linked) = self.linked(incident, private)? {
            return Ok(linked);
        }
        let prefix = names::prefix(incident.drill);
        let title = names::title(incident, private);
        let is_private = if private || super::are_private() {
            "true"
        } else {
            "false"
        };
        // The names of the rooms before are taken.
        for taken in self.row.replaced..self.row.replaced + NAMES_TRIED_MAX {
            let name = names::room(&prefix, incident.number, title, taken);
            self.row.tried = Some(name.clone());
            self.save()?;
            match channel::create(&name, is_private) {
                Ok(channel) => return Ok(channel),
                Err(error) if error.is("name_taken") => {
                    if let Some(channel) = channel::find_ours(|it| it["name"] == name.as_str())?
                        && self.may_adopt(&channel, &name, incident)
                    {
                        let id = channel["id"].as_str().unwrap_or_default();
                        log::info(
                            "adopted the war room of an earlier attempt",
                            &[("channel", id)],
                        );
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
        let why = format!("all {NAMES_TRIED_MAX} candidate names for the war room are taken");
        Err(Failure::Permanent(why))
    }

    /// The channel that the incident is linked to, if it is its room and can be posted to. The row
    /// of a room expires, and looking for its name would list every channel of the app.
    fn linked(&self, incident: &Incident, private: bool) -> Result<Option<String>, Failure> {
        let linked = super::linked(incident).filter(|_| self.row.replaced == 0);
        let Some(linked) = linked else {
            return Ok(None);
        };
        let Some(channel) = channel::info(linked)? else {
            return Ok(None);
        };
        let fits = !private || channel["is_private"] == true;
        let is_live = channel["is_archived"] != true;
        let is_ours = fits && is_live && self.may_adopt(&channel, "", incident);
        Ok(is_ours.then(|| linked.into()))
    }

    /// Whether a channel of the app belongs to this incident.
    pub(super) fn may_adopt(&self, channel: &Value, name: &str, incident: &Incident) -> bool {
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
