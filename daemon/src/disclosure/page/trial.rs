//! A test of the way to a person, or a reminder of a shift: a page in its form, about no incident.

use tocsin_core::incident::{Incident, Roles};
use tocsin_core::trial::{ShiftNotice, TestPage};
use tocsin_core::{Actor, Changes, Grade, Labels, Promises, Status, Tasks, TestId};
use tocsin_plugin_host::wit::Urgency;

use super::facts::fact;
use super::{Fact, PageContent, PageItem, PageReader, headline};
use crate::disclosure::{Disclosed, DisclosedLine};
use crate::time::{shown_since, shown_time};

/// Most open incidents that a reminder of a shift names; the others are counted.
const OPEN_SHOWN_MAX: usize = 8;
/// Channels say in their own way that it is a test.
const TITLE: &str = "No incident: this only tests the way to you";

impl PageContent {
    /// What a test says to its reader. Its only item stands for no incident and has the number 0.
    /// It is as loud as a critical page, which is what it tests; a reminder of a shift makes no
    /// sound. `open`: the incidents that it names, if it is about what is open.
    #[must_use]
    pub fn of_test(
        id: &TestId,
        test: &TestPage,
        open: &[&Incident],
        reader: &PageReader<'_>,
    ) -> Self {
        let (title, facts) = match &test.shift {
            Some(shift) if shift.open.is_some() => at_handover(shift, open, reader),
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
            reminds: test.shift.as_ref().map(|it| match it.open {
                None => "please mend this before your shift begins",
                Some(_) => "this is what is open when your shift begins",
            }),
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

/// The title and the facts of a reminder of what is open when a shift begins.
fn at_handover(
    shift: &ShiftNotice,
    open: &[&Incident],
    reader: &PageReader<'_>,
) -> (String, Vec<Fact>) {
    let from = shown_time(reader.zone, shift.from, reader.now);
    let how_many = match open.len() {
        0 => "nothing is open any more".to_owned(),
        1 => "1 incident is open".to_owned(),
        count => format!("{count} incidents are open"),
    };
    let title = format!(
        "Your on-call shift for {} begins {from}: {how_many}",
        shift.rotation
    );
    let shown = open.iter().take(OPEN_SHOWN_MAX);
    let mut facts: Vec<Fact> = shown.filter_map(|it| open_fact(it, reader)).collect();
    if let more @ 1.. = open.len().saturating_sub(OPEN_SHOWN_MAX) {
        facts.extend(fact("Open", format!("and {more} more")));
    }
    (title, facts)
}

/// "#12 CRITICAL checkout: error rate 40 %, open since 02:14 (3 h ago); operator Ada".
fn open_fact(incident: &Incident, reader: &PageReader<'_>) -> Option<Fact> {
    let seen = Disclosed::of(incident, reader.clearance);
    let line = &seen.line;
    let since = shown_since(reader.zone, line.opened_at, reader.now);
    let operator = match &line.operator {
        Some(it) => format!("operator {}", reader.name_of(it)),
        None if line.acknowledged => "acknowledged".to_owned(),
        None => "nobody has it".to_owned(),
    };
    let what = headline(line);
    let text = format!(
        "#{} {what}, {} since {since}; {operator}",
        line.number, line.status
    );
    fact("Open", text)
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
            drill: true,
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
        counts: tocsin_core::alert::Counts::default(),
        refs: Vec::new(),
        roles: Roles::default(),
        tasks: Tasks::default(),
        changes: Changes::default(),
        promises: Promises::default(),
        acknowledged_at: None,
        mitigated_at: None,
        merged_into: None,
        is_redacted: false,
    }
}
