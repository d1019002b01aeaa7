//! The pages of an incident, folded from its events.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::event::{Effect, Event};
use crate::{Contact, PersonId, Timestamp, limits};

/// The pages of an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paging {
    /// Pages by number; at most [`PAGES_MAX`](limits::PAGES_MAX) are kept.
    pub pages: BTreeMap<u32, Page>,
    pub next_page: u32,
}

/// A page to one person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    pub person: PersonId,
    pub step: u32,
    /// In the order in which they are tried.
    pub contacts: Vec<Contact>,
    /// The index of the contact that is being tried or accepted it.
    pub contact: u32,
    pub state: PageState,
    /// When it was sent.
    pub at: Timestamp,
    /// Contacts at which it may have arrived.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub outcome_unknown: BTreeSet<u32>,
}

/// The progress of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "is")]
pub enum PageState {
    /// No channel has accepted it yet.
    Sent {
        /// When it goes to the next contact, if there is one.
        next_contact_at: Option<Timestamp>,
    },
    /// A channel has accepted it.
    #[serde(rename = "taken")]
    Accepted,
    /// No channel accepted it.
    Exhausted,
    /// It no longer needs an answer.
    Settled,
}

impl Page {
    /// The contact that is being tried or accepted it.
    #[must_use]
    pub fn current(&self) -> Option<&Contact> {
        self.contacts.get(self.contact as usize)
    }

    /// Whether no channel has accepted it yet, and it is still needed.
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
        matches!(self.state, PageState::Accepted | PageState::Settled)
    }

    /// Whether it should still be delivered to this contact.
    #[must_use]
    pub fn is_wanted_at(&self, contact: u32) -> bool {
        self.contact == contact && self.is_underway()
    }
}

impl Default for Paging {
    fn default() -> Self {
        Self {
            pages: BTreeMap::new(),
            next_page: 1,
        }
    }
}

impl Paging {
    pub(crate) fn fold(&mut self, event: &Event, at: Timestamp) {
        match event {
            Event::Paged {
                page,
                person,
                contacts,
                step,
                next_contact_at,
            } => {
                let sent = Page {
                    person: person.clone(),
                    step: *step,
                    contacts: contacts.clone(),
                    contact: 0,
                    state: PageState::Sent {
                        next_contact_at: *next_contact_at,
                    },
                    at,
                    outcome_unknown: BTreeSet::new(),
                };
                self.pages.insert(*page, sent);
                self.next_page = page + 1;
                self.forget_old();
            }
            Event::PageRedirected {
                page,
                contact,
                next_contact_at,
                ..
            } => {
                let next_contact_at = *next_contact_at;
                self.set(*page, Some(*contact), PageState::Sent { next_contact_at });
            }
            Event::PageRebased {
                page,
                next_contact_at,
            } => {
                let next_contact_at = Some(*next_contact_at);
                self.set(*page, None, PageState::Sent { next_contact_at });
            }
            Event::PageAccepted { page, contact, .. } => {
                self.set(*page, Some(*contact), PageState::Accepted);
            }
            Event::PageOutcomeUnknown { page, contact } => {
                if let Some(it) = self.pages.get_mut(page) {
                    it.outcome_unknown.insert(*contact);
                }
            }
            Event::PageExhausted { page, .. } => self.set(*page, None, PageState::Exhausted),
            Event::Silenced { .. } => {
                let underway = self.pages.values_mut().filter(|it| it.is_underway());
                underway.for_each(|page| page.state = PageState::Settled);
            }
            event if event.traits().effect == Effect::EndsPaging => {
                for page in self.pages.values_mut() {
                    page.state = PageState::Settled;
                }
            }
            _ => {}
        }
    }

    fn set(&mut self, page: u32, contact: Option<u32>, state: PageState) {
        if let Some(it) = self.pages.get_mut(&page) {
            it.contact = contact.unwrap_or(it.contact);
            it.state = state;
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

/// The page that an event sends, and the contact's index.
pub(super) fn sent_to(event: &Event) -> Option<(u32, u32)> {
    match event {
        Event::Paged { page, .. } => Some((*page, 0)),
        Event::PageRedirected { page, contact, .. } => Some((*page, *contact)),
        _ => None,
    }
}
