//! Collects the faults of many questions, each once.

use std::collections::{BTreeMap, BTreeSet};

use crate::compiled::Policy;
use crate::report::Report;
use crate::script::{Does, functions, units};
use crate::trace::{Answer, Read, Trace};
use crate::verdict::NO_ROTATION;

/// Most faults that are reported at one position.
const FAULTS_AT_ONE_PLACE_MAX: usize = 2;
/// Most reads that a report names.
const SHOWN_READS_MAX: usize = 6;

/// The path of a file as in reports, line and column.
type Place = (String, u32, u32);

/// The `throw` statements of a script, in the order of its text.
fn throws(script: &Policy) -> Vec<Place> {
    let functions = functions(&script.ast);
    let units = functions.iter().flat_map(units);
    let throws = units.filter(|(_, unit)| unit.does == Does::Throws);
    let at = |place: (usize, usize)| {
        let (line, column) = script.original(place);
        let (line, column) = (u32::try_from(line).ok()?, u32::try_from(column).ok()?);
        Some((script.shown.clone(), line, column))
    };
    throws.filter_map(|(key, _)| at(key)).collect()
}

/// The faults found so far.
pub(super) struct Faults {
    reports: Vec<Report>,
    /// What was reported at each place.
    messages: BTreeMap<Place, Vec<Message>>,
    /// Where the scripts throw. They do so on purpose.
    throws: BTreeSet<Place>,
    /// Whether it is known which rotations there are.
    knows_rotations: bool,
    /// How many calls a limit stopped.
    pub(super) stopped: usize,
}

impl Faults {
    pub(super) fn of(policy: &Policy, knows_rotations: bool) -> Self {
        let scripts = policy.libs.scripts.values().chain([policy]);
        Self {
            reports: Vec::new(),
            messages: BTreeMap::new(),
            throws: scripts.flat_map(throws).collect(),
            knows_rotations,
            stopped: 0,
        }
    }

    pub(super) fn add(&mut self, mut report: Report, trace: &Trace, changed: &[Read]) {
        let (line, column) = (report.line.unwrap_or(0), report.column.unwrap_or(0));
        let place = (report.file.clone(), line, column);
        let is_unknowable = !self.knows_rotations && report.message.contains(NO_ROTATION);
        if self.throws.contains(&place) || is_unknowable {
            return;
        }
        let message = Message::of(&report, trace);
        let here = self.messages.entry(place).or_default();
        let is_known = here.iter().any(|it| it.says_the_same(&message));
        if is_known || here.len() >= FAULTS_AT_ONE_PLACE_MAX {
            return;
        }
        here.push(message);
        let reads = trace
            .reads
            .iter()
            .filter(|(read, _)| changed.contains(read));
        let reads = reads.map(|(read, answer)| format!("{read} is {}", shown(answer)));
        let reads: Vec<String> = reads.take(SHOWN_READS_MAX).collect();
        report.asked = Some(reads.join(", "))
            .filter(|it| !it.is_empty())
            .map(Box::new);
        self.reports.push(report);
    }

    pub(super) fn sorted(mut self) -> Vec<Report> {
        self.reports.sort_by_key(|it| (it.line, it.column));
        self.reports
    }
}

/// What a report says, and the texts of the question that it may repeat.
struct Message {
    text: String,
    values: Vec<String>,
}

impl Message {
    fn of(report: &Report, trace: &Trace) -> Self {
        let values = trace.reads.iter().filter_map(|(_, answer)| match answer {
            Answer::Text(text) => Some(text.clone()),
            _ => None,
        });
        Self {
            text: report.message.clone(),
            values: values.collect(),
        }
    }

    /// Whether they differ only in a number or in a value of the question.
    fn says_the_same(&self, other: &Self) -> bool {
        let same = |a: (char, char)| a.0 == a.1;
        let (a, b) = (&self.text, &other.text);
        let from = a.chars().zip(b.chars()).take_while(|it| same(*it)).count();
        let to = a
            .chars()
            .rev()
            .zip(b.chars().rev())
            .take_while(|it| same(*it))
            .count();
        let own = |it: &Self| {
            let end = it.text.chars().count().saturating_sub(to).max(from);
            let middle: String = it.text.chars().take(end).skip(from).collect();
            let middle = middle.trim();
            middle.chars().all(|c| c.is_ascii_digit())
                || it.values.iter().any(|value| value.contains(middle))
        };
        own(self) && own(other)
    }
}

fn shown(answer: &Answer) -> String {
    answer.bounded().to_string()
}
