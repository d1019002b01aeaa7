//! An incident of a message, and who reads it.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use chrono_tz::Tz;
use tocsin_core::alert::Counts;
use tocsin_core::incident::{Incident, Page};
use tocsin_core::{Grade, Person, PersonId, PluginId, PromptId, Question, Timestamp};

use super::{PageChoice, PageItem, PageLine, PageQuestion, facts, headline, links};
use crate::disclosure::{Clearance, Disclosed};
use crate::time::shown_time;

/// An incident that a message is about, with what its stream does not have.
#[derive(Clone, Debug)]
pub struct PagedIncident<'a> {
    pub incident: &'a Incident,
    /// The page's number within the incident, or the question's.
    pub page: u32,
    /// What is asked about it; `None`: it is a page.
    pub question: Option<Question>,
    /// Exact, now.
    pub counts: Counts,
}

/// Who reads a page, and when.
#[derive(Clone, Copy)]
pub struct PageReader<'a> {
    pub person: &'a PersonId,
    /// The zone of every time that they are shown.
    pub zone: Tz,
    /// What the person and whatever shows them the page may both see.
    pub clearance: Clearance,
    /// The plugin that shows it, which always sees its own refs.
    pub plugin: Option<&'a PluginId>,
    /// For names.
    pub people: &'a BTreeMap<PersonId, Person>,
    pub now: Timestamp,
}

impl PagedIncident<'_> {
    pub(super) fn worst_first(&self) -> (Reverse<Grade>, Timestamp, u64) {
        let it = self.incident;
        (Reverse(it.grading.grade), it.lifecycle.opened_at, it.number)
    }

    pub(super) fn item(&self, reader: &PageReader<'_>) -> PageItem {
        let seen = self.seen(reader);
        let page = self.page();
        PageItem {
            id: self.id(),
            step: page.map_or(0, |it| it.step),
            reason: seen.page_reason().to_owned(),
            headline: headline(&seen.line),
            facts: facts::of(self, &seen, reader),
            links: links::of(&seen),
            ack_url: None,
            seen,
        }
    }

    pub(super) fn line(&self, reader: &PageReader<'_>) -> PageLine {
        let seen = self.seen(reader);
        PageLine {
            id: self.id(),
            number: seen.line.number,
            grade: seen.line.grade,
            headline: headline(&seen.line),
        }
    }

    /// The page; `None` for a question.
    pub(super) fn page(&self) -> Option<&Page> {
        let pages = &self.incident.paging.pages;
        pages.get(&self.page).filter(|_| self.question.is_none())
    }

    fn id(&self) -> String {
        match self.question {
            None => self.incident.page_id(self.page).to_string(),
            Some(_) => PromptId::of(&self.incident.id, self.page).to_string(),
        }
    }

    fn seen(&self, reader: &PageReader<'_>) -> Disclosed {
        let mut seen = match reader.plugin {
            Some(plugin) => {
                Disclosed::to_plugin(self.incident, self.incident, reader.clearance, plugin)
            }
            None => Disclosed::of(self.incident, reader.clearance),
        };
        seen.counts = self.counts;
        seen
    }
}

impl PageReader<'_> {
    /// The person's name; their id if they are no longer in the configuration.
    pub(super) fn name_of(&self, id: &PersonId) -> String {
        let person = self.people.get(id);
        person.map_or_else(|| id.to_string(), |it| it.name.clone())
    }
}

/// What is asked about these incidents, without links; it must be answered before the first of the
/// questions expires.
pub(super) fn question(
    incidents: &[PagedIncident<'_>],
    reader: &PageReader<'_>,
) -> Option<PageQuestion> {
    let question = incidents.first()?.question?;
    let asked = |it: &PagedIncident<'_>| {
        it.incident
            .prompts
            .all
            .get(&it.page)
            .map(|it| it.expires_at)
    };
    let expires_at = incidents.iter().filter_map(asked).min()?;
    let by = shown_time(reader.zone, expires_at, reader.now);
    let choices = question.choices().iter();
    Some(PageQuestion {
        text: question.text(),
        otherwise: format!("Please answer by {by}. {}", question.otherwise()),
        expires_at,
        choices: choices
            .map(|&choice| PageChoice { choice, url: None })
            .collect(),
    })
}
