//! Looks up who a plan's step pages, at the time of the step, and by which contacts. Contacts that
//! nothing serves are left out, and the daemon's mail relay is added last, so that a page reaches a
//! mailbox even if every plugin is down.

use std::sync::Arc;

use tocsin_core::command::Responders;
use tocsin_core::{Contact, Grade, Person, PersonId, Step, Timestamp};

use super::roster::Roster;

/// The kind of contacts that are mail addresses, which the daemon's mail relay serves.
pub const MAIL_CONTACT: &str = "email";
/// The channel of the daemon's mail relay: the last contact of every page.
pub const MAIL_CHANNEL: &str = "mail";

/// Which kinds of contacts plugins can page now; changes as plugins are loaded and unloaded.
pub trait ServedContacts: Send + Sync {
    /// Whether a plugin pages contacts of this kind.
    fn serves(&self, kind: &str) -> bool;
}

/// The roster as it is now: the configuration, with the overrides that people made and the
/// absences of their calendars. Whoever asks who is on call asks here.
pub trait CurrentRoster: Send + Sync {
    /// With what any engine changed until now.
    fn now(&self) -> Arc<Roster>;
}

/// A roster that does not change.
impl CurrentRoster for Arc<Roster> {
    fn now(&self) -> Arc<Roster> {
        Self::clone(self)
    }
}

/// Looks up who a step pages.
#[derive(Clone)]
pub struct ResponderLookup {
    pub rosters: Arc<dyn CurrentRoster>,
    /// What plugins serve.
    pub served: Arc<dyn ServedContacts>,
    /// Whether a mail relay is configured.
    pub has_mail: bool,
}

impl ResponderLookup {
    /// The people paged by a plan's step; an empty plan has none and pages nobody.
    #[must_use]
    pub fn of_step(&self, step: Option<&Step>, at: Timestamp) -> Responders {
        step.map_or_else(Responders::default, |step| self.of(step, at))
    }

    /// Whether a page can go to contacts of this kind, by a plugin or by the mail relay.
    #[must_use]
    pub fn is_served(&self, kind: &str) -> bool {
        self.has_mail && kind == MAIL_CONTACT || self.served.serves(kind)
    }

    /// Those of `[escalation] fallback`, who are paged when nobody of a step can be reached.
    #[must_use]
    pub fn fallback(&self, at: Timestamp) -> Responders {
        let reach = |person: &Person| self.is_reachable(person);
        let choice = self.rosters.now().choose_fallback(at, &reach);
        let people = choice.people.into_iter().map(|it| self.reachable(it));
        let people: Vec<Person> = people.collect();
        let nobody = "it names nobody; add people to [escalation] fallback";
        Responders {
            note: people.is_empty().then(|| nobody.to_owned()),
            people,
        }
    }

    /// A person by their ID, with only the contacts that are served.
    #[must_use]
    pub fn person(&self, id: &PersonId) -> Option<Person> {
        let person = self.rosters.now().people.get(id).cloned();
        person.map(|it| self.reachable(it))
    }

    /// The contacts to which pages to a person may go: those of their ladders, first of the one for
    /// critical incidents, then those that nothing serves. `None` if there is no such person.
    #[must_use]
    pub fn contacts_tried(&self, id: &PersonId) -> Option<Vec<Contact>> {
        let person = self.rosters.now().people.get(id).cloned()?;
        let reachable = self.reachable(person.clone());
        let of_grade = |grade| reachable.climb(grade, |_| true).0;
        let of_ladders = Grade::ALL.into_iter().rev().flat_map(of_grade);
        let is_unserved = |it: &Contact| !self.is_served(&it.kind);
        let mut tried: Vec<Contact> = Vec::new();
        for contact in of_ladders.chain(person.contacts.into_iter().filter(is_unserved)) {
            if !tried.contains(&contact) {
                tried.push(contact);
            }
        }
        Some(tried)
    }

    /// Whether a page can reach the person, by a plugin or by the mail relay.
    #[must_use]
    pub fn is_reachable(&self, person: &Person) -> bool {
        person.contacts.iter().any(|it| self.is_served(&it.kind))
    }

    fn of(&self, step: &Step, at: Timestamp) -> Responders {
        let reach = |person: &Person| self.is_reachable(person);
        let choice = self.rosters.now().choose(step, at, &reach);
        let people = choice.people.into_iter().map(|it| self.reachable(it));
        Responders {
            people: people.collect(),
            note: (!choice.notes.is_empty()).then(|| choice.notes.join("; ")),
        }
    }

    /// The person with only the contacts that plugins serve, and the mail relay last.
    fn reachable(&self, mut person: Person) -> Person {
        let contacts = &mut person.contacts;
        let mailbox = contacts.iter().find(|it| it.kind == MAIL_CONTACT).cloned();
        contacts.retain(|it| self.served.serves(&it.kind));
        if let (true, Some(mailbox)) = (self.has_mail, mailbox) {
            contacts.push(Contact {
                kind: MAIL_CHANNEL.to_owned(),
                address: mailbox.address,
            });
            // A plugin that delivers mail takes the rungs that name it.
            let by_plugin = self.served.serves(MAIL_CONTACT);
            let named = if by_plugin {
                MAIL_CHANNEL
            } else {
                MAIL_CONTACT
            };
            person.ladders.end_with(named, MAIL_CHANNEL);
        }
        person
    }
}
