//! An incident of a message, and who reads it.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use chrono_tz::Tz;
use tocsin_core::alert::Counts;
use tocsin_core::incident::Incident;
use tocsin_core::{Grade, Person, PersonId, PluginId, Timestamp};

use super::{PageItem, PageLine, facts, headline, links};
use crate::disclosure::{Clearance, Disclosed};

/// An incident that a message is about, with what its stream does not have.
#[derive(Clone, Debug)]
pub struct PagedIncident<'a> {
    pub incident: &'a Incident,
    /// The page's number within the incident.
    pub page: u32,
    /// Exact, now.
    pub counts: Counts,
    /// The latest change of its service.
    pub change: Option<LastChange>,
}

/// A change of a service, such as a deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastChange {
    pub at: Timestamp,
    /// One line for people.
    pub title: String,
    pub link: Option<String>,
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
        let page = self.incident.paging.pages.get(&self.page);
        PageItem {
            id: self.incident.page_id(self.page),
            step: page.map_or(0, |it| it.step),
            reason: seen.page_reason().to_owned(),
            headline: headline(&seen.line, seen.drill),
            facts: facts::of(self, &seen, reader),
            links: links::of(&seen, self.change.as_ref()),
            ack_url: None,
            seen,
        }
    }

    pub(super) fn line(&self, reader: &PageReader<'_>) -> PageLine {
        let seen = self.seen(reader);
        PageLine {
            id: self.incident.page_id(self.page),
            number: seen.line.number,
            grade: seen.line.grade,
            headline: headline(&seen.line, seen.drill),
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
