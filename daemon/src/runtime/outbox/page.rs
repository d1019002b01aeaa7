//! What a message to a person says, from the view's state at the time of its delivery.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono_tz::Tz;
use tocsin_core::incident::Incident;
use tocsin_core::pager::PageAttempt;
use tocsin_core::time::HOUR_MS;
use tocsin_core::trial::TestPage;
use tocsin_core::{Contact, MessageId, PageId, PersonId, PluginId, Question, TestId, Timestamp};
use tocsin_store::Store;

use super::payload::Payloads;
use crate::auth::AckTarget;
use crate::disclosure::page::{LastChange, PageContent, PageReader, PagedIncident};
use crate::disclosure::{Clearance, Disclosed};
use crate::runtime::error::EngineError;
use crate::runtime::state::tables::change::latest_changes_of;
use crate::runtime::state::view::IncidentState;

/// A change is shown if it happened at most this long before the incident opened, in milliseconds:
/// a deployment often shows its effect only under the load of another hour.
const CHANGE_BEFORE_MS: u64 = 6 * HOUR_MS;

/// A page or a question that is still wanted, with its incident as it is now.
pub(crate) struct Wanted {
    pub(crate) state: Arc<IncidentState>,
    pub(crate) attempt: PageAttempt,
}

/// A message to a person about pages or with a question.
pub(crate) struct PageMessage {
    /// Stable over attempts.
    pub(crate) id: String,
    pub(crate) to: PersonId,
    /// By which it goes.
    pub(crate) contact: Contact,
    /// The zone of every time in it.
    pub(crate) zone: Tz,
    pub(crate) content: PageContent,
}

impl Payloads {
    /// A message about what is still wanted, which is at least one thing. `shown_by` is the
    /// plugin that shows it, with what it may see.
    ///
    /// # Errors
    /// [`EngineError`] when the store cannot be read.
    pub(crate) fn message_of(
        &self,
        (id, contact): (&MessageId, &Contact),
        wanted: &[Wanted],
        store: &dyn Store,
        shown_by: Option<(&PluginId, Clearance)>,
        now: Timestamp,
    ) -> Result<PageMessage, EngineError> {
        let to = &id.person;
        let pages: Vec<_> = wanted
            .iter()
            .map(|it| (it.state.as_ref(), it.attempt.page))
            .collect();
        let question = wanted.first().and_then(|it| it.attempt.question);
        let content = self.page_content(&pages, question, to, store, shown_by, now)?;
        let link = |of| self.ack_links.link(of, to, &contact.kind, now);
        let message = || id.clone();
        let one = |page: &str| {
            let page = PageId::from(page);
            let incident = page
                .parts()
                .map(|(incident, _)| incident)
                .unwrap_or_default();
            link(AckTarget::Page { incident, page })
        };
        let content = match question {
            None => {
                let message = message();
                content.with_ack_links(link(AckTarget::Message { message }), one)
            }
            Some(_) => {
                let until = last_expiry(wanted).unwrap_or(now);
                content.with_answer_links(|choice| {
                    let (message, choice) = (message(), choice.to_owned());
                    let of = AckTarget::Answer { message, choice };
                    self.ack_links
                        .link_until(of, to, &contact.kind, (now, until))
                })
            }
        };
        Ok(PageMessage {
            id: id.to_string(),
            to: to.clone(),
            contact: contact.clone(),
            zone: self.roster.zone(to),
            content,
        })
    }

    /// A test of the way to a person, or a reminder of a shift, which asks for no press: that it
    /// was read proves no sound. It names the incidents of `open`, as far as both the person and
    /// what shows it may see them.
    #[must_use]
    pub(crate) fn test_message(
        &self,
        (id, test): (&TestId, &TestPage),
        open: &[&Incident],
        shown_by: Clearance,
        now: Timestamp,
    ) -> PageMessage {
        let to = &id.person;
        let clearance = shown_by.and(self.clearance_of(to));
        let reader = self.test_reader(to, clearance, now);
        let content = PageContent::of_test(id, test, open, &reader);
        let content = match &test.shift {
            Some(_) => content,
            None => {
                let of = AckTarget::Test { test: id.clone() };
                let link = self.ack_links.link(of, to, &test.contact.kind, now);
                content.with_ack_links(link.clone(), |_| link.clone())
            }
        };
        PageMessage {
            id: id.to_string(),
            to: to.clone(),
            contact: test.contact.clone(),
            zone: self.roster.zone(to),
            content,
        }
    }

    /// What a test of the way to a person says, without a link that acknowledges.
    #[must_use]
    pub fn test_content(&self, id: &TestId, test: &TestPage, now: Timestamp) -> PageContent {
        let reader = self.test_reader(&id.person, Clearance::Basic, now);
        PageContent::of_test(id, test, &[], &reader)
    }

    fn test_reader<'a>(
        &'a self,
        person: &'a PersonId,
        clearance: Clearance,
        now: Timestamp,
    ) -> PageReader<'a> {
        PageReader {
            person,
            zone: self.roster.zone(person),
            clearance,
            plugin: None,
            people: &self.roster.people,
            now,
        }
    }

    /// What a message to a person about these pages says, or with a question about these incidents,
    /// without links that acknowledge or answer. The numbers are those of the pages or questions.
    ///
    /// # Errors
    /// [`EngineError`] when the store cannot be read.
    pub fn page_content(
        &self,
        pages: &[(&IncidentState, u32)],
        question: Option<Question>,
        to: &PersonId,
        store: &dyn Store,
        shown_by: Option<(&PluginId, Clearance)>,
        now: Timestamp,
    ) -> Result<PageContent, EngineError> {
        let person = self.clearance_of(to);
        let clearance = shown_by.map_or(person, |(_, clearance)| clearance.and(person));
        let lines: Vec<_> = pages
            .iter()
            .map(|(state, _)| Disclosed::of(&state.incident, clearance).line)
            .collect();
        let services: BTreeSet<_> = lines
            .iter()
            .filter_map(|it| it.service.as_deref())
            .collect();
        let first = lines.iter().map(|it| it.opened_at).min().unwrap_or(now);
        let from = first.minus_ms(CHANGE_BEFORE_MS);
        let changes = latest_changes_of(store, &services, from, now)?;
        let change_of = |service: Option<&str>, opened: Timestamp| {
            let change = changes.get(service?)?;
            let is_near = change.at >= opened.minus_ms(CHANGE_BEFORE_MS);
            is_near.then(|| LastChange {
                at: change.at,
                title: change.title.clone(),
                link: change.link.clone(),
            })
        };
        let paged = pages
            .iter()
            .zip(&lines)
            .map(|((state, page), line)| PagedIncident {
                incident: &state.incident,
                page: *page,
                question,
                counts: state.tally.counts,
                change: change_of(line.service.as_deref(), line.opened_at),
            });
        let paged: Vec<_> = paged.collect();
        Ok(PageContent::of(
            &paged,
            &PageReader {
                person: to,
                zone: self.roster.zone(to),
                clearance,
                plugin: shown_by.map(|(plugin, _)| plugin),
                people: &self.roster.people,
                now,
            },
        ))
    }
}

/// When the last of the questions that a message asks is over.
fn last_expiry(wanted: &[Wanted]) -> Option<Timestamp> {
    let asked = wanted.iter().filter_map(|it| {
        let prompts = &it.state.incident.prompts.all;
        prompts.get(&it.attempt.page)
    });
    asked.map(|it| it.expires_at).max()
}

#[cfg(test)]
mod tests;
