//! Contacts that nothing delivers to are passed over as soon as a page would wait for them.

use std::collections::BTreeSet;

use crate::command::Env;
use crate::event::Event;
use crate::incident::Incident;
use crate::paging::{next_contact, sent_to};
use crate::{Contact, limits};

/// The kinds of contacts that something delivers to now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Channels(BTreeSet<String>);

impl Channels {
    /// Whether something delivers to contacts of this kind.
    #[must_use]
    pub fn serve(&self, kind: &str) -> bool {
        self.0.contains(kind)
    }
}

impl<S: Into<String>> FromIterator<S> for Channels {
    fn from_iter<I: IntoIterator<Item = S>>(kinds: I) -> Self {
        Self(kinds.into_iter().map(Into::into).collect())
    }
}

/// The events that take the pages which `events` send past contacts that nothing delivers to, in
/// the order of the pages' attempts.
pub(crate) fn pass_over_unserved(
    before: Option<&Incident>,
    events: &[Event],
    env: Env<'_>,
) -> Vec<Event> {
    let mut attempts: Vec<(u32, u32)> = events.iter().filter_map(sent_to).collect();
    let mut passed = Vec::new();
    let mut at = 0;
    while let Some(&(page, contact)) = attempts.get(at)
        && passed.len() < limits::PASSED_OVER_MAX
    {
        at += 1;
        let contacts = contacts_of(page, before, events);
        let tried = contacts.get(contact as usize);
        if tried.is_some_and(|it| !env.channels.serve(&it.kind)) {
            let reason = "no plugin delivers to it".to_owned();
            let event = next_contact(page, contacts.len(), contact, reason, env);
            attempts.extend(sent_to(&event));
            passed.push(event);
        }
    }
    passed
}

fn contacts_of<'a>(page: u32, before: Option<&'a Incident>, events: &'a [Event]) -> &'a [Contact] {
    let new = events.iter().find_map(|event| match event {
        Event::Paged {
            page: it, contacts, ..
        } if *it == page => Some(contacts.as_slice()),
        _ => None,
    });
    let sent = before.and_then(|it| it.paging.pages.get(&page));
    new.or(sent.map(|it| it.contacts.as_slice()))
        .unwrap_or_default()
}
