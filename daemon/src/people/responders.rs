//! Whom a step of a plan pages, looked up when it is taken, and by which contacts. A contact
//! that nothing brings is left out, and the host's own mail relay is added as the last: a page
//! whose every plugin is down still reaches a mailbox.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tocsin_core::command::Responders;
use tocsin_core::{Contact, PageTarget, Person, Plan, Step, Timestamp};

use crate::people::Roster;
use crate::runtime::outbox::delivery::{MAIL_CHANNEL, Subscribers};

/// The contact kind that people write for a mail address.
const EMAIL_KIND: &str = "email";

/// Looks up whom a step pages.
#[derive(Clone)]
pub struct ResponderLookup {
    /// Everybody.
    pub roster: Arc<Roster>,
    /// Who brings what.
    pub subscribers: Arc<ArcSwap<Subscribers>>,
    /// Whether the host has a mail relay of its own.
    pub has_mail: bool,
}

impl ResponderLookup {
    /// The crew of a plan's step; past the end the last one repeats. An empty plan has an empty
    /// crew.
    #[must_use]
    pub fn of_step(&self, plan: &Plan, step: u32, at: Timestamp) -> Responders {
        let last = plan.steps.len().saturating_sub(1);
        match plan.steps.get((step as usize).min(last)) {
            Some(step) => self.of(step, at),
            None => Responders::default(),
        }
    }

    fn of(&self, step: &Step, at: Timestamp) -> Responders {
        let alone = Plan {
            steps: vec![step.clone()],
        };
        let reached = self.roster.resolve_plan(&alone, at);
        let mut people: Vec<Person> = Vec::new();
        for person in reached.people.into_values().flatten() {
            if !people.iter().any(|known| known.id == person.id) {
                people.push(self.reachable(person));
            }
        }
        let note = (!reached.notes.is_empty()).then(|| reached.notes.join("; "));
        Responders { people, note }
    }

    /// The person with the contacts that something brings, and the mail relay last.
    fn reachable(&self, mut person: Person) -> Person {
        let subscribers = self.subscribers.load();
        let mailbox = person
            .contacts
            .iter()
            .find(|it| it.kind == EMAIL_KIND)
            .cloned();
        person
            .contacts
            .retain(|it| subscribers.for_contact(&it.kind).is_some());
        if let (true, Some(mailbox)) = (self.has_mail, mailbox) {
            let contact = Contact {
                kind: MAIL_CHANNEL.to_owned(),
                address: mailbox.address,
            };
            person.contacts.push(contact);
        }
        person
    }

    /// Whether anybody at all stands behind a target now.
    #[must_use]
    pub fn reaches(&self, target: &PageTarget, at: Timestamp) -> bool {
        !self.roster.resolve(target, at).is_empty()
    }
}
