//! What a message to a person says, from the view's state at the time of its delivery.

use std::sync::Arc;

use chrono_tz::Tz;
use tocsin_core::incident::Incident;
use tocsin_core::pager::PageAttempt;
use tocsin_core::trial::TestPage;
use tocsin_core::{Contact, MessageId, PageId, PersonId, PluginId, Question, TestId, Timestamp};

use super::payload::Payloads;
use crate::auth::AckTarget;
use crate::disclosure::Clearance;
use crate::disclosure::page::{PageContent, PageReader, PagedIncident};
use crate::runtime::state::view::IncidentState;

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
    pub(crate) fn message_of(
        &self,
        (id, contact): (&MessageId, &Contact),
        wanted: &[Wanted],
        shown_by: Option<(&PluginId, Clearance)>,
        now: Timestamp,
    ) -> PageMessage {
        let to = &id.person;
        let pages: Vec<_> = wanted
            .iter()
            .map(|it| (it.state.as_ref(), it.attempt.page))
            .collect();
        let question = wanted.first().and_then(|it| it.attempt.question);
        let content = self.page_content(&pages, question, to, shown_by, now);
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
        PageMessage {
            id: id.to_string(),
            to: to.clone(),
            contact: contact.clone(),
            zone: self.roster.zone(to),
            content,
        }
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
    #[must_use]
    pub fn page_content(
        &self,
        pages: &[(&IncidentState, u32)],
        question: Option<Question>,
        to: &PersonId,
        shown_by: Option<(&PluginId, Clearance)>,
        now: Timestamp,
    ) -> PageContent {
        let person = self.clearance_of(to);
        let clearance = shown_by.map_or(person, |(_, clearance)| clearance.and(person));
        let paged = pages.iter().map(|(state, page)| PagedIncident {
            incident: &state.incident,
            page: *page,
            question,
            counts: state.tally.counts,
        });
        let paged: Vec<_> = paged.collect();
        PageContent::of(
            &paged,
            &PageReader {
                person: to,
                zone: self.roster.zone(to),
                clearance,
                plugin: shown_by.map(|(plugin, _)| plugin),
                people: &self.roster.people,
                now,
            },
        )
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
