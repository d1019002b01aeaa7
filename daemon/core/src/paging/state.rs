//! The pages of an incident, folded from its events.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::event::{Effect, Event, Recorded};
use crate::paging::ladder::Rung;
use crate::{Actor, Contact, PersonId, Timestamp, limits};

/// The pages of an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paging {
    /// Pages by number; at most [`PAGES_MAX`](limits::PAGES_MAX) are kept.
    pub pages: BTreeMap<u32, Page>,
    pub next_page: u32,
    /// The first page of the step that was taken last.
    #[serde(default)]
    pub step_from: u32,
    /// When it turned out that nobody of that step can be reached, until the fallback is paged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreached_at: Option<Timestamp>,
    /// Whether the fallback was paged for that step.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fallback_paged: bool,
}

/// A page to one person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    pub person: PersonId,
    pub step: u32,
    /// In the order in which they are tried.
    pub contacts: Vec<Contact>,
    /// How many of them are tried at the same time; without, each is tried alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rungs: Vec<Rung>,
    /// The index of the first contact of the rung that is being tried, or was tried last.
    pub contact: u32,
    pub state: PageState,
    /// When it was sent.
    pub at: Timestamp,
    /// What became of it at each contact that was tried.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attempts: BTreeMap<u32, Attempt>,
    /// Contacts at which it may have arrived.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub outcome_unknown: BTreeSet<u32>,
    /// Who asked for this person by name; `None`: the escalation pages them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_by: Option<Actor>,
}

/// The progress of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "is")]
pub enum PageState {
    /// Its ladder has not come to its end.
    Sent {
        /// When it goes to the next rung; `None` if the last one waits for its channels.
        next_contact_at: Option<Timestamp>,
    },
    /// Every rung was tried, and a channel has accepted it.
    #[serde(rename = "taken")]
    Accepted,
    /// Every rung was tried, and no channel accepted it.
    Exhausted,
    /// It no longer needs an answer.
    Settled,
}

/// What became of a page at one contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Attempt {
    /// Its channel has not accepted it yet.
    Queued,
    /// Its channel did not accept it in time, or rejected it.
    Failed,
    Accepted,
    /// The channel knows that it was shown to the person.
    Seen,
    /// The person answered it there.
    Pressed,
}

impl Attempt {
    /// Whether its channel has accepted it.
    #[must_use]
    pub fn is_accepted(self) -> bool {
        matches!(self, Self::Accepted | Self::Seen | Self::Pressed)
    }
}

impl Page {
    /// The first contact of the rung that is being tried, or was tried last.
    #[must_use]
    pub fn current(&self) -> Option<&Contact> {
        self.contacts.get(self.contact as usize)
    }

    /// Whether its ladder has not come to its end, and it is still needed.
    #[must_use]
    pub fn is_underway(&self) -> bool {
        matches!(self.state, PageState::Sent { .. })
    }

    /// Whether every contact failed.
    #[must_use]
    pub fn is_exhausted(&self) -> bool {
        self.state == PageState::Exhausted
    }

    /// Whether a channel has accepted it, or it no longer needs an answer.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.state == PageState::Settled || self.is_accepted()
    }

    /// Whether a channel has accepted it.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        self.state == PageState::Accepted || self.attempts.values().any(|it| it.is_accepted())
    }

    /// Whether it should still be delivered to this contact.
    #[must_use]
    pub fn is_wanted_at(&self, contact: u32) -> bool {
        self.state != PageState::Settled && self.attempts.get(&contact) == Some(&Attempt::Queued)
    }

    /// The contacts to which it should still be delivered.
    pub fn wanted_at(&self) -> impl Iterator<Item = u32> {
        let contacts = self.attempts.keys().copied();
        contacts.filter(|it| self.is_wanted_at(*it))
    }

    /// The contacts of the rung that begins at a contact.
    pub(super) fn rung_at(&self, contact: u32) -> impl Iterator<Item = u32> + use<> {
        let mut from = 0;
        let of = |it: &Rung| it.contacts;
        let size = self.rungs.iter().map(of).find(|size| {
            let is_it = from == contact;
            from += if is_it { 0 } else { *size };
            is_it
        });
        let contacts = u32::try_from(self.contacts.len()).unwrap_or(u32::MAX);
        contact..contact.saturating_add(size.unwrap_or(1)).min(contacts)
    }

    /// The first contact of the next rung, if there is one.
    pub(super) fn next_rung(&self) -> Option<u32> {
        let next = self.rung_at(self.contact).last()? + 1;
        ((next as usize) < self.contacts.len()).then_some(next)
    }

    /// How long the rung that is being tried waits for an acknowledgement, in milliseconds.
    pub(super) fn rung_wait_ms(&self) -> u64 {
        let mut from = 0;
        let rung = self.rungs.iter().find(|it| {
            let is_it = from == self.contact;
            from += it.contacts;
            is_it
        });
        rung.map_or(limits::RUNG_WAIT_MS, |it| it.wait_ms)
    }

    /// The attempts at the rung that is being tried.
    pub(super) fn attempts_of_rung(&self) -> impl Iterator<Item = Attempt> {
        let contacts = self.rung_at(self.contact);
        contacts.filter_map(|it| self.attempts.get(&it).copied())
    }

    /// Whether no other channel of the rung may still accept it.
    pub(super) fn is_last_hope(&self, contact: u32) -> bool {
        let others = self.rung_at(self.contact).filter(|it| *it != contact);
        let may_arrive = |it: &u32| self.outcome_unknown.contains(it);
        let mut hopes = others.filter(|it| !may_arrive(it));
        hopes.all(|it| self.attempts.get(&it) == Some(&Attempt::Failed))
    }

    /// The page that an event sends.
    fn sent(event: &Event, by: &Actor, at: Timestamp) -> Option<Self> {
        let Event::Paged {
            person,
            contacts,
            rungs,
            step,
            next_contact_at,
            by_name,
            ..
        } = event
        else {
            return None;
        };
        let mut sent = Self {
            person: person.clone(),
            step: *step,
            contacts: contacts.clone(),
            rungs: rungs.clone(),
            contact: 0,
            state: PageState::Exhausted,
            at,
            attempts: BTreeMap::new(),
            outcome_unknown: BTreeSet::new(),
            asked_by: by_name.then(|| by.clone()),
        };
        sent.begin_rung(0, *next_contact_at);
        Some(sent)
    }

    fn begin_rung(&mut self, contact: u32, next_contact_at: Option<Timestamp>) {
        for (at, attempt) in &mut self.attempts {
            // One that may have arrived is asked about until its channel knows.
            if *attempt == Attempt::Queued && !self.outcome_unknown.contains(at) {
                *attempt = Attempt::Failed;
            }
        }
        self.contact = contact;
        for contact in self.rung_at(contact) {
            self.attempts.insert(contact, Attempt::Queued);
        }
        self.state = match next_contact_at {
            None if self.is_accepted() => PageState::Accepted,
            _ => PageState::Sent { next_contact_at },
        };
    }

    fn accept(&mut self, contact: u32, next_contact_at: Option<Timestamp>) {
        let is_paused = self.is_paused();
        self.attempts.insert(contact, Attempt::Accepted);
        if self.state != PageState::Settled {
            self.state = match next_contact_at {
                Some(_) => PageState::Sent { next_contact_at },
                None if is_paused => self.state,
                None => PageState::Accepted,
            };
        }
    }

    /// The person answered it through a channel.
    fn press(&mut self, via: &str) {
        for (contact, attempt) in &mut self.attempts {
            let contact = self.contacts.get(*contact as usize);
            if contact.is_some_and(|it| it.kind == via) {
                *attempt = Attempt::Pressed;
            }
        }
    }

    /// Another page to the same person has taken its place.
    fn give_way(&mut self) {
        for attempt in self.attempts.values_mut() {
            if *attempt == Attempt::Queued {
                *attempt = Attempt::Failed;
            }
        }
        if self.is_underway() {
            self.state = match self.is_accepted() {
                true => PageState::Accepted,
                false => PageState::Exhausted,
            };
        }
    }

    /// The escalation pauses: its ladder waits, unless no channel has accepted it yet.
    fn pause(&mut self) {
        self.state = match self.is_accepted() {
            true if self.next_rung().is_some() => PageState::Sent {
                next_contact_at: None,
            },
            true => PageState::Accepted,
            false => PageState::Settled,
        };
    }

    /// Whether its ladder waits for the end of a pause.
    fn is_paused(&self) -> bool {
        let waits = PageState::Sent {
            next_contact_at: None,
        };
        self.state == waits && self.is_accepted() && self.next_rung().is_some()
    }
}

impl Default for Paging {
    fn default() -> Self {
        Self {
            pages: BTreeMap::new(),
            next_page: 1,
            step_from: 1,
            unreached_at: None,
            fallback_paged: false,
        }
    }
}

impl Paging {
    pub(crate) fn fold(&mut self, recorded: &Recorded) {
        let (event, at) = (&recorded.event, recorded.at);
        match event {
            Event::Paged { page, person, .. } => {
                let same = self.pages.values_mut().filter(|it| it.person == *person);
                same.for_each(Page::give_way);
                self.pages
                    .extend(Page::sent(event, &recorded.by, at).map(|it| (*page, it)));
                self.next_page = page + 1;
                self.unreached_at = None;
                self.forget_old();
            }
            Event::PageExhausted { page, contact, .. } => {
                self.change(*page, |it| {
                    it.state = PageState::Exhausted;
                    it.attempts.extend(contact.map(|it| (it, Attempt::Failed)));
                });
                self.unreached_at = self.is_unreached().then_some(at);
            }
            Event::PageAccepted { .. } => {
                self.fold_page(event);
                let has_step = self.of_step().next().is_some();
                if self.unreached_at.is_none() && has_step && self.is_unreached() {
                    self.unreached_at = Some(at);
                }
            }
            Event::Escalated { .. } => self.begin_step(),
            Event::FallbackPaged { .. } => (self.unreached_at, self.fallback_paged) = (None, true),
            Event::Silenced { .. } => {
                let underway = self.pages.values_mut().filter(|it| it.is_underway());
                underway.for_each(Page::pause);
                self.unreached_at = None;
            }
            Event::Unsilenced { .. } => {
                for page in self.pages.values_mut().filter(|it| it.is_paused()) {
                    let next_contact_at = Some(at.plus_ms(page.rung_wait_ms()));
                    page.state = PageState::Sent { next_contact_at };
                }
            }
            event if event.traits().effect == Effect::EndsPaging => {
                if let (Event::Acknowledged { via, .. }, Some(by)) = (event, recorded.by.person()) {
                    self.press(by, via);
                }
                for page in self.pages.values_mut() {
                    page.state = PageState::Settled;
                }
                self.unreached_at = None;
            }
            event if event.traits().effect == Effect::StartsAgain => self.begin_step(),
            event => self.fold_page(event),
        }
    }

    /// What an event does to one page.
    fn fold_page(&mut self, event: &Event) {
        match event {
            Event::PageRedirected {
                page,
                contact,
                rejected_by,
                next_contact_at,
                ..
            } => self.change(*page, |it| {
                it.attempts
                    .extend(rejected_by.map(|it| (it, Attempt::Failed)));
                it.begin_rung(*contact, *next_contact_at);
            }),
            Event::PageRebased {
                page,
                next_contact_at,
                ..
            } => {
                let next_contact_at = Some(*next_contact_at);
                self.change(*page, |it| it.state = PageState::Sent { next_contact_at });
            }
            Event::PageRejected { page, contact, .. } => self.change(*page, |it| {
                it.attempts.insert(*contact, Attempt::Failed);
            }),
            Event::PageAccepted {
                page,
                contact,
                next_contact_at,
                ..
            } => self.change(*page, |it| it.accept(*contact, *next_contact_at)),
            Event::PageSeen { page, contact } => self.change(*page, |it| {
                it.attempts.insert(*contact, Attempt::Seen);
            }),
            Event::PageAnswered { page, via } => self.change(*page, |it| {
                it.press(via);
                it.state = PageState::Settled;
            }),
            Event::PageOutcomeUnknown { page, contact } => self.change(*page, |it| {
                it.outcome_unknown.insert(*contact);
            }),
            _ => {}
        }
    }

    /// Whether nobody whom the last step paged can be reached, and the fallback was not paged yet.
    /// A page of an earlier step that is still being tried may yet reach somebody; one that a
    /// channel has accepted has brought no answer.
    fn is_unreached(&self) -> bool {
        let is_tried = |it: &Page| it.is_underway() && !it.is_accepted();
        let is_any_tried = self.pages.values().any(is_tried);
        !self.fallback_paged && !is_any_tried && self.of_step().all(Page::is_exhausted)
    }

    /// Which contact of a person works, if they answer through a channel now: the only one of its
    /// kind that accepted a page. Of several it is not known which one they used.
    #[must_use]
    pub fn answered_at(&self, person: &PersonId, via: &str) -> Option<&Contact> {
        let own = self.pages.values().filter(|it| it.person == *person);
        let accepted = own.flat_map(|page| {
            let accepted = page.attempts.iter().filter(|it| it.1.is_accepted());
            accepted.filter_map(|(contact, _)| page.contacts.get(*contact as usize))
        });
        let mut of_kind = accepted.filter(|it| it.kind == via);
        let first = of_kind.next()?;
        of_kind.all(|it| it == first).then_some(first)
    }

    /// The pages of the step that was taken last, and those since.
    pub(crate) fn of_step(&self) -> impl Iterator<Item = &Page> {
        self.pages.range(self.step_from..).map(|(_, page)| page)
    }

    fn begin_step(&mut self) {
        self.step_from = self.next_page;
        (self.unreached_at, self.fallback_paged) = (None, false);
    }

    /// A person answered through a channel.
    fn press(&mut self, by: &PersonId, via: &str) {
        let own = self.pages.values_mut().filter(|it| it.person == *by);
        own.for_each(|it| it.press(via));
    }

    fn change(&mut self, page: u32, change: impl FnOnce(&mut Page)) {
        if let Some(it) = self.pages.get_mut(&page) {
            change(it);
        }
    }

    fn forget_old(&mut self) {
        while self.pages.len() > limits::PAGES_MAX {
            let idle = self.pages.iter().find(|(_, page)| !page.is_underway());
            match idle.map(|(number, _)| *number) {
                Some(page) => self.pages.remove(&page),
                None => self.pages.pop_first().map(|(_, page)| page),
            };
        }
    }
}

/// The page that an event sends, and the first contact of the rung.
pub(super) fn sent_to(event: &Event) -> Option<(u32, u32)> {
    match event {
        Event::Paged { page, .. } => Some((*page, 0)),
        Event::PageRedirected { page, contact, .. } => Some((*page, *contact)),
        _ => None,
    }
}
