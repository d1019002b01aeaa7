//! What waits for one person: pages of many incidents that go out as few messages.
//!
//! A page goes out at once if nothing went out to its contact lately; what follows within the
//! bundle window goes out as one message. Another contact does not wait, not even of the same kind:
//! whoever is not reached at one must be tried at the next at once. A person gets a limited number
//! of messages in ten minutes, through all contacts; beyond it, one that names a critical incident
//! still goes out to each contact every two minutes. What is held back waits and is named by the
//! next one. What did not arrive counts for nothing but the window: a dead channel must not use up
//! what the next one may send.
//!
//! Questions wait here too, and never with pages in one message: nobody is in a hurry to be asked,
//! so each waits a window for others, and they neither hold back a page nor count as one.
//!
//! Messages of drills are counted with all others for drills and with none for real incidents: a
//! drill must neither delay nor displace a real page, and shares no message with one.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};

use crate::grading::Grade;
use crate::outcome::Delays;
use crate::prompts::Question;
use crate::text::cut;
use crate::{Contact, IncidentId, Timestamp, limits};

/// The messages to one person lately.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pager {
    /// The number of the last message.
    pub last: u64,
    /// The messages of the last ten minutes, oldest first; at most
    /// [`SENT_MESSAGES_MAX`](limits::SENT_MESSAGES_MAX).
    pub sent: Vec<SentMessage>,
    /// When what waits is looked at again; `None` if nothing waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
}

/// A message that went out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentMessage {
    /// Its number; 0 if an earlier version sent it.
    #[serde(default)]
    pub number: u64,
    pub at: Timestamp,
    /// Where it went; of the address as much as tells a person's contacts apart.
    pub contact: Contact,
    /// Whether it named a critical incident.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub critical: bool,
    /// Whether it was about drills.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub drill: bool,
    /// What it asked; `None`: it brought pages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<Question>,
    /// Whether it arrived, where that was in doubt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrival: Option<Arrival>,
}

/// Whether a message arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Arrival {
    /// Its channel rejected it or could not be reached: no limit counts it.
    Not,
    /// An attempt may have arrived, whatever became of the next ones.
    Maybe,
    Yes,
}

/// An attempt to page a person, or to ask them something, through one of their contacts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PageAttempt {
    pub incident: IncidentId,
    /// The page's number within the incident, or the question's.
    pub page: u32,
    /// The contact's place in the page's list, or in the question's.
    pub contact: u32,
    /// What is asked; `None`: it is a page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<Question>,
}

/// An attempt that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingPage {
    pub attempt: PageAttempt,
    /// Where it goes.
    pub contact: Contact,
    /// The incident's grade, and since when it is open.
    pub grade: Grade,
    pub opened_at: Timestamp,
    /// Whether it is a drill.
    pub drill: bool,
    /// Since when it waits.
    pub since: Timestamp,
    /// Whether the page is still wanted at that contact.
    pub is_wanted: bool,
}

/// A message that goes out now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// Unique for the person.
    pub number: u64,
    /// Where it goes.
    pub contact: Contact,
    /// The pages that it brings, the worst first; at most
    /// [`BUNDLE_PAGES_MAX`](limits::BUNDLE_PAGES_MAX).
    pub pages: Vec<PageAttempt>,
}

/// What becomes of all that waits for a person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gathered {
    pub bundles: Vec<Bundle>,
    /// Those that nobody needs any more.
    pub dropped: Vec<PageAttempt>,
    /// The person's row after that.
    pub pager: Pager,
}

/// What goes out to a person now, of what waits for them.
#[must_use]
pub fn gather(
    before: &Pager,
    waiting: Vec<WaitingPage>,
    delays: &Delays,
    now: Timestamp,
) -> Gathered {
    let mut pager = before.clone();
    pager.due = None;
    // Messages of the future are of a clock that was set back since.
    pager
        .sent
        .retain(|it| it.at <= now && now.since(it.at) < limits::PAGES_PERIOD_MS);
    let (mut wanted, dropped): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|it| it.is_wanted);
    wanted.sort_by_key(|it| (it.drill, Reverse(it.grade), it.opened_at));
    let mut bundles = Vec::new();
    while let Some(worst) = wanted.first() {
        let (contact, critical) = (worst.contact.clone(), worst.grade == Grade::Critical);
        let (question, drill) = (worst.attempt.question, worst.drill);
        let (together, others): (Vec<_>, Vec<_>) = wanted.into_iter().partition(|it| {
            it.contact == contact && it.attempt.question == question && it.drill == drill
        });
        wanted = others;
        let since = together.iter().map(|it| it.since).min();
        let message = SentMessage {
            number: pager.last + 1,
            at: now,
            contact: told_apart(&contact),
            critical,
            drill,
            question,
            arrival: None,
        };
        let free_at = match since.filter(|_| question.is_some()) {
            Some(since) => pager.may_ask_at(&message, since, delays),
            None => pager.free_at(&message, delays),
        };
        if free_at > now {
            pager.wait_until(free_at);
            continue;
        }
        pager.last += 1;
        pager.keep(message);
        if together.len() > limits::BUNDLE_PAGES_MAX {
            pager.wait_until(now.plus_ms(delays.bundle_window_ms));
        }
        let pages = together.into_iter().take(limits::BUNDLE_PAGES_MAX);
        bundles.push(Bundle {
            number: pager.last,
            contact,
            pages: pages.map(|it| it.attempt).collect(),
        });
    }
    Gathered {
        bundles,
        dropped: dropped.into_iter().map(|it| it.attempt).collect(),
        pager,
    }
}

impl Pager {
    /// Notes whether a message arrived; returns whether that changes anything.
    pub fn note(&mut self, number: u64, arrival: Arrival) -> bool {
        let mut sent = self.sent.iter_mut();
        let Some(message) = sent.find(|it| it.number == number) else {
            return false;
        };
        let is_news = match arrival {
            Arrival::Not => message.arrival.is_none(),
            Arrival::Maybe => message.arrival != Some(Arrival::Maybe),
            Arrival::Yes => message.arrival == Some(Arrival::Not),
        };
        if is_news {
            message.arrival = Some(arrival);
        }
        is_news
    }

    /// Keeps a message; of too many, the oldest one that did not arrive or is about drills is
    /// forgotten, or the oldest.
    fn keep(&mut self, message: SentMessage) {
        self.sent.push(message);
        if self.sent.len() > limits::SENT_MESSAGES_MAX {
            let lost = self.sent.iter().position(|it| it.drill || !it.counts());
            self.sent.remove(lost.unwrap_or(0));
        }
    }

    /// When a message with pages, of now, may go out.
    fn free_at(&self, message: &SentMessage, delays: &Delays) -> Timestamp {
        let now = message.at;
        let pages = || {
            let pages = self.sent.iter().rev().filter(|it| it.question.is_none());
            pages.filter(|it| message.drill || !it.drill)
        };
        let got = || pages().filter(|it| it.counts());
        let is_to_it = |it: &&SentMessage| it.contact == message.contact;
        let after = |it: Option<&SentMessage>, ms| it.map_or(now, |it| it.at.plus_ms(ms));
        let window_ends = after(pages().find(is_to_it), delays.bundle_window_ms);
        let most = usize::try_from(delays.pages_max).unwrap_or(usize::MAX);
        // Once the oldest of the last so many is ten minutes ago.
        let oldest = most.checked_sub(1).and_then(|at| got().nth(at));
        let mut limit_ends = after(oldest, limits::PAGES_PERIOD_MS);
        if message.critical {
            let last = got().filter(is_to_it).find(|it| it.critical);
            limit_ends = limit_ends.min(after(last, limits::CRITICAL_EVERY_MS));
        }
        window_ends.max(limit_ends).max(now)
    }

    /// When a message with a question, of now, may go out that waits since a time.
    fn may_ask_at(&self, message: &SentMessage, since: Timestamp, delays: &Delays) -> Timestamp {
        let now = message.at;
        let is_such = |it: &&SentMessage| {
            it.contact == message.contact
                && it.question == message.question
                && it.drill == message.drill
        };
        let last = self.sent.iter().rev().find(is_such);
        let next = last.map_or(now, |it| it.at.plus_ms(limits::QUESTIONS_EVERY_MS));
        let window_ends = since.min(now).plus_ms(delays.bundle_window_ms);
        window_ends.max(next).max(now)
    }

    fn wait_until(&mut self, at: Timestamp) {
        self.due = Some(self.due.map_or(at, |due| due.min(at)));
    }
}

impl SentMessage {
    /// Whether it counts for the limits.
    fn counts(&self) -> bool {
        self.arrival != Some(Arrival::Not)
    }
}

/// A contact as a person's row keeps it, which must fit into the store.
fn told_apart(contact: &Contact) -> Contact {
    Contact {
        address: cut(contact.address.clone(), limits::SENT_ADDRESS_BYTES_MAX),
        ..contact.clone()
    }
}

#[cfg(test)]
mod tests;
