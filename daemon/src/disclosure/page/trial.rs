//! A test of the way to a person, or a reminder of a shift: a page in its form, about no incident.

use tocsin_core::incident::Roles;
use tocsin_core::trial::{ShiftNotice, TestPage};
use tocsin_core::{Actor, Grade, Labels, Promises, Status, Tasks, TestId};
use tocsin_plugin_host::wit::Urgency;

use super::facts::fact;
use super::{Fact, PageContent, PageItem, PageReader};
use crate::disclosure::{Disclosed, DisclosedLine};
use crate::time::shown_time;

/// Channels say in their own way that it is a test.
const TITLE: &str = "No incident: this only tests the way to you";

impl PageContent {
    /// What a test says to its reader. Its only item stands for no incident and has the number 0.
    /// It is as loud as a critical page, which is what it tests; a reminder of a shift makes no
    /// sound.
    #[must_use]
    pub fn of_test(id: &TestId, test: &TestPage, reader: &PageReader<'_>) -> Self {
        let (title, facts) = match &test.shift {
            Some(shift) => before_shift(shift, reader),
            None => (TITLE.to_owned(), of_test(test, reader)),
        };
        Self {
            items: vec![PageItem {
                id: id.to_string(),
                seen: nothing(id, test, title.clone()),
                step: 0,
                reason: title.clone(),
                headline: title.clone(),
                facts,
                links: Vec::new(),
                ack_url: None,
            }],
            others: Vec::new(),
            summary: title,
            ack_url: None,
            question: None,
            test: test.shift.is_none(),
            urgency: match test.shift {
                Some(_) => Urgency::Silent,
                None => Urgency::Critical,
            },
        }
    }
}

fn of_test(test: &TestPage, reader: &PageReader<'_>) -> Vec<Fact> {
    let by = match &test.by {
        Actor::Person(id) => reader.name_of(id),
        other => other.to_string(),
    };
    let facts = [
        fact("Test", "nothing is wrong; nobody else is paged".to_owned()),
        fact("Asked by", by),
        fact("Sent", shown_time(reader.zone, test.at, reader.now)),
    ];
    facts.into_iter().flatten().collect()
}

/// The title and the facts of a reminder of a shift.
fn before_shift(shift: &ShiftNotice, reader: &PageReader<'_>) -> (String, Vec<Fact>) {
    let from = shown_time(reader.zone, shift.from, reader.now);
    let title = format!(
        "Your on-call shift for {} begins {from}: what speaks against it",
        shift.rotation
    );
    let warnings = shift.warnings.iter();
    let warnings = warnings.filter_map(|it| fact("Warning", it.clone()));
    (title, warnings.collect())
}

/// What stands in place of an incident. Its grade says the same as the urgency, for a channel that
/// knows only grades.
fn nothing(id: &TestId, test: &TestPage, title: String) -> Disclosed {
    Disclosed {
        line: DisclosedLine {
            id: id.to_string().into(),
            number: 0,
            title,
            service: None,
            team: None,
            grade: match test.shift {
                Some(_) => Grade::Minor,
                None => Grade::Critical,
            },
            security: false,
            status: Status::Open,
            acknowledged: false,
            operator: None,
            opened_at: test.at,
            resolved_at: None,
        },
        revision: 0,
        summary: String::new(),
        labels: Labels::new(),
        link: None,
        links: Vec::new(),
        grade_reason: String::new(),
        by_fallback: false,
        drill: true,
        counts: tocsin_core::alert::Counts::default(),
        refs: Vec::new(),
        roles: Roles::default(),
        tasks: Tasks::default(),
        promises: Promises::default(),
        acknowledged_at: None,
        mitigated_at: None,
        merged_into: None,
        is_redacted: false,
    }
}
