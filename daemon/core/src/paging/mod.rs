//! How a person is reached: contact after contact, until a channel has taken the page.

mod channels;
mod decide;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::consequences::{Notice, TimerKind};
use crate::event::{Event, Recorded};
use crate::incident::Incident;
use crate::{Contact, PersonId, Timestamp, limits};

pub use channels::Channels;
pub(crate) use channels::pass_over_unserved;
use decide::next_contact;
pub(crate) use decide::{contact_due, page_all, redirect, taken};

/// The pages of an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paging {
    /// Pages by number; at most [`PAGES_MAX`](limits::PAGES_MAX) are remembered.
    pub pages: BTreeMap<u32, Page>,
    /// The next page's number.
    pub next_page: u32,
}

/// A page to one person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// Whom.
    pub person: PersonId,
    /// At which step.
    pub step: u32,
    /// How they are tried, in this order.
    pub contacts: Vec<Contact>,
    /// Which contact is being tried or took it.
    pub contact: u32,
    /// How it stands.
    pub state: PageState,
    /// When it was sent.
    pub at: Timestamp,
}

/// How a page stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "is")]
pub enum PageState {
    /// No channel has taken it yet.
    Sent {
        /// When it goes to the next contact, if there is one.
        next_contact_at: Option<Timestamp>,
    },
    /// A channel has taken it.
    Taken,
    /// No channel would take it.
    Exhausted,
    /// Nobody need answer it any more.
    Settled,
}

impl Page {
    /// The contact that is being tried or took it.
    #[must_use]
    pub fn current(&self) -> Option<&Contact> {
        self.contacts.get(self.contact as usize)
    }

    /// Whether a channel is still to take it.
    #[must_use]
    pub fn is_underway(&self) -> bool {
        matches!(self.state, PageState::Sent { .. })
    }

    /// Whether every contact refused it: nobody is reached by it.
    #[must_use]
    pub fn is_exhausted(&self) -> bool {
        self.state == PageState::Exhausted
    }

    /// Whether a channel has taken it, or nobody need answer it any more.
    #[must_use]
    pub fn is_done(&self) -> bool {
        matches!(self.state, PageState::Taken | PageState::Settled)
    }

    /// Whether the channel of this contact should still bring it.
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
            Event::PageTaken { page, contact, .. } => {
                self.set(*page, Some(*contact), PageState::Taken);
            }
            Event::PageExhausted { page, .. } => self.set(*page, None, PageState::Exhausted),
            event if event.traits().ends_paging => {
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

/// When each page goes on to its next contact.
pub(crate) fn timers(paging: &Paging) -> impl Iterator<Item = (Timestamp, TimerKind)> {
    paging.pages.iter().filter_map(|(&page, sent)| {
        let contact = sent.contact;
        match sent.state {
            PageState::Sent { next_contact_at } => {
                next_contact_at.map(|at| (at, TimerKind::Contact { page, contact }))
            }
            _ => None,
        }
    })
}

/// The page that an event sends to a channel, if it is still to go there after all of them.
pub(crate) fn notice(after: &Incident, event: &Event) -> Option<Notice> {
    let (page, contact) = sent_to(event)?;
    let sent = after
        .paging
        .pages
        .get(&page)
        .filter(|it| it.is_wanted_at(contact))?;
    let channel = sent.contacts.get(contact as usize)?.kind.clone();
    Some(Notice::Page {
        page,
        contact,
        person: sent.person.clone(),
        channel,
    })
}

/// The page that an event sends, and to which of its contacts.
fn sent_to(event: &Event) -> Option<(u32, u32)> {
    match event {
        Event::Paged { page, .. } => Some((*page, 0)),
        Event::PageRedirected { page, contact, .. } => Some((*page, *contact)),
        _ => None,
    }
}

/// Pages whose buttons must go: a channel took them, and nobody need answer them any more.
/// `also`: pages that a channel took after they were settled.
pub(crate) fn settled(before: Option<&Incident>, after: &Incident, also: &[u32]) -> Vec<Notice> {
    let was_taken = |number: &u32| {
        let page = before.and_then(|it| it.paging.pages.get(number));
        page.is_some_and(|it| it.state == PageState::Taken)
    };
    let pages = after.paging.pages.iter().filter(|(number, page)| {
        page.state == PageState::Settled && (was_taken(number) || also.contains(number))
    });
    let notice = |(&number, page): (&u32, &Page)| {
        page.current().map(|contact| Notice::Settled {
            page: number,
            person: page.person.clone(),
            channel: contact.kind.clone(),
        })
    };
    pages.filter_map(notice).collect()
}

pub(crate) fn narrate(incident: &Incident, recorded: &Recorded) -> Option<String> {
    let person = |page: &u32| {
        let page = incident.paging.pages.get(page);
        page.map_or("somebody", |it| it.person.as_str())
    };
    let channel = |page: &u32, contact: &u32| {
        let page = incident.paging.pages.get(page);
        let contact = page.and_then(|it| it.contacts.get(*contact as usize));
        contact.map_or("another way", |it| it.kind.as_str())
    };
    let text = match &recorded.event {
        Event::Paged {
            person, contacts, ..
        } => {
            let first = contacts.first().map_or("no contact", |it| it.kind.as_str());
            format!("paged {person} by {first}")
        }
        Event::PageRedirected {
            page,
            contact,
            reason,
            ..
        } => {
            let (person, to) = (person(page), channel(page, contact));
            format!("paged {person} again by {to}: {reason}")
        }
        Event::PageTaken {
            page,
            contact,
            interrupted,
        } => {
            let (person, through) = (person(page), channel(page, contact));
            let earlier = match interrupted {
                true => "; an earlier try was cut off, and it is unknown whether it came too",
                false => "",
            };
            format!("the page to {person} went out by {through}{earlier}")
        }
        Event::PageRebased { page, .. } => {
            let person = person(page);
            format!("the page to {person} gets its time anew: the daemon was down")
        }
        Event::PageExhausted { page, reason } => {
            format!("no channel reaches {}: {reason}", person(page))
        }
        _ => return None,
    };
    Some(text)
}
