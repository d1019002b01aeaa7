//! A message that announces incidents, and the replies to it that say which are over.

use super::entry::Entry;
use super::{BOARD_TTL_MS, Readers, shown};
use crate::blocks::Message;
use crate::post::{self, Post};
use serde::{Deserialize, Serialize};
use tocsin_plugin_sdk::types::{Delivery, Failure, Incident, Timestamp};
use tocsin_plugin_sdk::{clock, kv, log};

/// Most incidents in one message; further ones begin another. Their row must fit into a value of
/// the store, which has at most 64 KiB.
pub(super) const ENTRIES_MAX: usize = 50;
/// Most replies about single incidents of a message; further ones only show in it, and the last
/// reply says that all are over.
const REPLIES_MAX: u32 = 10;

/// The row of a message.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Row {
    channel: String,
    /// When it was begun: it was not posted before.
    since: Timestamp,
    /// The message's id in Slack; none until it is posted.
    ts: Option<String>,
    entries: Vec<Entry>,
    /// What it says.
    text: String,
    /// The reply that is being posted.
    saying: Option<String>,
    /// How many replies were posted.
    replies: u32,
    /// The delivery that wrote the row last.
    writer: String,
}

/// A message, loaded to be changed.
pub(super) struct Board {
    readers: Readers,
    id: String,
    row: Row,
    /// Whether another delivery may have posted what the row says is not posted.
    is_doubted: bool,
    delivery: String,
}

impl Board {
    /// A message that was posted, or a new one.
    pub(super) fn load(
        readers: Readers,
        channel: &str,
        id: &str,
        delivery: &Delivery,
    ) -> Result<Self, Failure> {
        let found = kv::get::<Row>(&key(readers, id))?.map(|it| it.value);
        let delivery = delivery.idempotency_key.clone();
        let is_doubted = found.as_ref().is_some_and(|it| {
            let is_pending = it.ts.is_none() || it.saying.is_some();
            is_pending && it.writer != delivery
        });
        let row = found.unwrap_or_else(|| Row {
            channel: channel.into(),
            since: clock::now(),
            ..Row::default()
        });
        Ok(Board {
            readers,
            id: id.into(),
            row,
            is_doubted,
            delivery,
        })
    }

    pub(super) fn is(&self, id: &str) -> bool {
        self.id == id
    }

    /// Takes over what an incident is now. One that became secret is named no more, and one that
    /// was over before it could be announced is not.
    pub(super) fn take(&mut self, incident: &Incident) {
        let entries = &mut self.row.entries;
        let at = entries.iter().position(|it| it.id == incident.id);
        let mut now = Entry::of(incident);
        match at {
            Some(at) if incident.security => drop(entries.remove(at)),
            Some(at) => {
                now.told = entries[at].told;
                entries[at] = now;
            }
            None if incident.security || now.ended_at.is_some() => {}
            None => entries.push(now),
        }
        self.row.entries.sort_by_key(Entry::order);
    }

    /// Posts or edits the message, and posts a reply if something is over, or open again.
    ///
    /// # Errors
    /// Those of Slack and the store. A retry continues.
    pub(super) fn show(&mut self) -> Result<(), Failure> {
        // A reply that was begun is finished before there is another.
        self.reply()?;
        if self.row.saying.is_none() {
            self.row.saying = self.news();
        }
        // With what is about to be posted, so that no other call posts it too.
        self.save()?;
        self.post()?;
        self.reply()
    }

    fn post(&mut self) -> Result<(), Failure> {
        let message = shown::message(self.readers, &self.row.entries);
        let text = message.text.clone();
        let channel = self.row.channel.clone();
        match &self.row.ts {
            Some(_) if self.row.text == text => return Ok(()),
            Some(ts) => post::edit(&channel, ts, &message)?,
            // Nobody has heard of what became secret meanwhile.
            None if self.row.entries.is_empty() => return Ok(()),
            None => {
                let effect = format!("announce:{}:{}", self.readers.as_str(), self.id);
                let post = Post::new(&channel, effect, self.row.since, message);
                self.row.ts = Some(post.doubted(self.is_doubted).send()?);
            }
        }
        self.row.text = text;
        self.is_doubted = false;
        self.save()
    }

    fn reply(&mut self) -> Result<(), Failure> {
        let (Some(text), Some(ts)) = (self.row.saying.clone(), self.row.ts.clone()) else {
            return Ok(());
        };
        let (readers, place) = (self.readers.as_str(), self.row.replies);
        let effect = format!("announce:{readers}:{}:{place}", self.id);
        let channel = self.row.channel.clone();
        let post = Post::new(&channel, effect, self.row.since, Message::line(text));
        match post.in_thread(&ts).doubted(self.is_doubted).send() {
            // Somebody deleted the message.
            Err(Failure::Permanent(why)) => log::warn(&why, &[("channel", &channel)]),
            other => drop(other?),
        }
        self.row.saying = None;
        self.row.replies += 1;
        self.is_doubted = false;
        self.save()
    }

    /// What a reply says now, if anything; marks it as told.
    fn news(&mut self) -> Option<String> {
        let entries = &mut self.row.entries;
        let is_over = entries.iter().all(|it| it.ended_at.is_some());
        let may_reply = self.row.replies < REPLIES_MAX;
        let is_worth = |it: &Entry| it.is_serious() || it.attended;
        if is_over {
            let is_new = entries.iter().any(|it| !it.told) && entries.iter().any(is_worth);
            let text = is_new.then(|| shown::all_over(self.readers, entries));
            entries.iter_mut().for_each(|it| it.told = true);
            return text;
        }
        let again = |it: &Entry| it.told && it.ended_at.is_none();
        let over = |it: &Entry| !it.told && it.ended_at.is_some() && it.is_serious();
        let changed = |it: &Entry| again(it) || may_reply && over(it);
        let named: Vec<Entry> = entries.iter().filter(|it| changed(it)).cloned().collect();
        for it in entries.iter_mut() {
            it.told = it.ended_at.is_some() && (it.told || named.iter().any(|one| one.id == it.id));
        }
        (may_reply && !named.is_empty()).then(|| shown::some_changed(self.readers, &named))
    }

    fn save(&mut self) -> Result<(), Failure> {
        self.row.writer.clone_from(&self.delivery);
        kv::set(&key(self.readers, &self.id), &self.row, Some(BOARD_TTL_MS)).map(drop)
    }
}

fn key(readers: Readers, id: &str) -> String {
    format!("board:{}:{id}", readers.as_str())
}
