//! What a page says, from which every channel makes its own form: mail as text and HTML, the facts
//! for plugins, the acknowledge page. Texts have no markup, are on one line and have a limit.

mod facts;
mod links;
mod seen;
mod trial;

use tocsin_core::{Choice, Grade, Timestamp};
use tocsin_plugin_host::wit::Urgency;

use super::{Disclosed, DisclosedLine};
use crate::text::{cut, one_line};

pub use seen::{PageReader, PagedIncident};

/// Most incidents of a message in full.
pub const PAGE_ITEMS_MAX: usize = 5;
/// Most further incidents that a message names.
pub const PAGE_OTHERS_MAX: usize = 500;
/// Longest headline, in bytes.
const HEADLINE_BYTES_MAX: usize = 200;

/// What one message says about one or more incidents.
#[derive(Clone, Debug, PartialEq)]
pub struct PageContent {
    /// In full: the worst first, then the oldest; at most [`PAGE_ITEMS_MAX`].
    pub items: Vec<PageItem>,
    /// Further ones; at most [`PAGE_OTHERS_MAX`].
    pub others: Vec<PageLine>,
    /// One line for a notification.
    pub summary: String,
    /// The link that acknowledges all that the message names.
    pub ack_url: Option<String>,
    /// What it asks about all that it names; `None`: it is a page.
    pub question: Option<PageQuestion>,
    /// Whether it only tests the way to the person.
    pub test: bool,
    /// What a reminder of a shift is for; `None`: it is none.
    pub reminds: Option<&'static str>,
    pub urgency: Urgency,
}

/// What a message asks.
#[derive(Clone, Debug, PartialEq)]
pub struct PageQuestion {
    pub text: &'static str,
    /// Until when, and what follows without an answer.
    pub otherwise: String,
    pub expires_at: Timestamp,
    pub choices: Vec<PageChoice>,
}

/// An answer, and the link that gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageChoice {
    pub choice: Choice,
    pub url: Option<String>,
}

/// An incident of a message in full.
#[derive(Clone, Debug, PartialEq)]
pub struct PageItem {
    /// Of the page or of the question.
    pub id: String,
    /// The incident, as far as its reader may see it.
    pub seen: Disclosed,
    pub step: u32,
    /// Why this person is paged.
    pub reason: String,
    /// "CRITICAL checkout: error rate 40 %".
    pub headline: String,
    /// The most important first.
    pub facts: Vec<Fact>,
    /// The alert's own first, then its runbook.
    pub links: Vec<PageLink>,
    /// The link that acknowledges it.
    pub ack_url: Option<String>,
}

/// An incident that a message only names.
#[derive(Clone, Debug, PartialEq)]
pub struct PageLine {
    /// Of the page or of the question.
    pub id: String,
    pub number: u64,
    pub grade: Grade,
    pub headline: String,
}

/// One line of what a person must know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// "Since".
    pub name: &'static str,
    /// "02:14 (6 min ago)".
    pub text: String,
}

/// A link for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageLink {
    pub title: String,
    /// An http or https URL without any character that has a meaning in markup.
    pub url: String,
}

impl PageContent {
    /// What a message about these incidents says to its reader. Incidents beyond
    /// [`PAGE_ITEMS_MAX`] and [`PAGE_OTHERS_MAX`] are left out.
    #[must_use]
    pub fn of(incidents: &[PagedIncident<'_>], reader: &PageReader<'_>) -> Self {
        let mut sorted: Vec<_> = incidents.iter().collect();
        sorted.sort_by_key(|it| it.worst_first());
        let (first, rest) = sorted.split_at(sorted.len().min(PAGE_ITEMS_MAX));
        let items: Vec<_> = first.iter().map(|it| it.item(reader)).collect();
        let rest = rest.iter().take(PAGE_OTHERS_MAX);
        let question = seen::question(incidents, reader);
        let asked = question.as_ref().map_or("", |it| it.text);
        let summary = summary(&items, incidents.len());
        let worst = items.first().map_or(Grade::Major, |it| it.seen.line.grade);
        Self {
            others: rest.map(|it| it.line(reader)).collect(),
            summary: format!("{asked} {summary}").trim_start().to_owned(),
            items,
            ack_url: None,
            urgency: urgency(worst, question.is_some()),
            question,
            test: false,
            reminds: None,
        }
    }

    /// With a link that acknowledges all of it, and one for each item.
    #[must_use]
    pub fn with_ack_links(mut self, all: String, one: impl Fn(&str) -> String) -> Self {
        self.ack_url = Some(all);
        for item in &mut self.items {
            item.ack_url = Some(one(&item.id));
        }
        self
    }

    /// With a link for each answer, which is given for all that the message names.
    #[must_use]
    pub fn with_answer_links(mut self, of: impl Fn(&str) -> String) -> Self {
        for it in self.question.iter_mut().flat_map(|it| &mut it.choices) {
            it.url = Some(of(it.choice.id));
        }
        self
    }

    /// How many incidents it names.
    #[must_use]
    pub fn named(&self) -> usize {
        self.items.len() + self.others.len()
    }
}

impl PageItem {
    /// The incident's number; `None` of a test or a reminder, which is about none.
    #[must_use]
    pub fn number(&self) -> Option<u64> {
        Some(self.seen.line.number).filter(|it| *it > 0)
    }
}

fn urgency(worst: Grade, is_question: bool) -> Urgency {
    match (worst, is_question) {
        (Grade::Minor, true) => Urgency::Silent,
        (_, true) => Urgency::Ordinary,
        (Grade::Minor, false) => Urgency::Minor,
        (Grade::Major, false) => Urgency::Major,
        (Grade::Critical, false) => Urgency::Critical,
    }
}

fn summary(items: &[PageItem], incidents: usize) -> String {
    let worst = items.first().map_or("", |it| it.headline.as_str());
    match incidents {
        ..=1 => worst.to_owned(),
        more => format!("{worst} and {} more", more - 1),
    }
}

/// "CRITICAL checkout: error rate 40 %"; a title that begins with the service does not repeat it.
fn headline(line: &DisclosedLine) -> String {
    let drill = if line.drill { "DRILL: " } else { "" };
    let (grade, title) = (line.grade.as_str().to_uppercase(), one_line(&line.title));
    let service = line.service.as_deref().map(one_line);
    let is_new = |it: &String| {
        let begins = title.to_lowercase().starts_with(&it.to_lowercase());
        !it.is_empty() && !begins
    };
    let text = match service.filter(is_new) {
        Some(service) => format!("{drill}{grade} {service}: {title}"),
        None => format!("{drill}{grade}: {title}"),
    };
    cut(text, HEADLINE_BYTES_MAX).0
}

#[cfg(test)]
mod tests;
