//! Runs a policy on questions that are made for it, to find what fails without a test.
//!
//! It begins with one plain question. After each call it looks at what the policy read, and asks
//! again so that one of these reads finds something else: a text or number that the script
//! contains, another grade, another hour. Questions that lead to code that never ran come first,
//! and a question that would read the same as an earlier one is skipped.

mod answers;
mod input;
mod queue;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::compiled::Policy;
use crate::kind::Kind;
use crate::names::Names;
use crate::report::Report;
use crate::script::{Does, functions, loop_around, units};
use crate::set::PolicySet;
use crate::trace::{Answer, Read, Trace, Tree};
use crate::verdict::NO_ROTATION;
use crate::watch::{Ran, Watched, watched};

use answers::World;
use input::Input;
use queue::Queue;
use words::Words;

/// Most calls of one policy.
const CALLS_MAX: usize = 2_000;
/// Longest time that one policy is called, in milliseconds.
const TIME_MS_MAX: u64 = 2_000;
/// Most calls that a limit stopped, since each takes long.
const STOPPED_MAX: usize = 2;
/// Most faults that are reported at one position.
const FAULTS_AT_ONE_PLACE_MAX: usize = 2;
/// Most reads that a report names.
const SHOWN_READS_MAX: usize = 6;

/// The faults of a policy, which the daemon asks, by line. `set` notes what runs.
pub(crate) fn explore(
    set: &PolicySet,
    team: Option<&str>,
    kind: Kind,
    policy: &Policy,
    names: Option<&Names>,
) -> Vec<Report> {
    let world = World {
        kind,
        team,
        names,
        words: Words::of(&policy.text, names),
    };
    let mut queue = Queue::new(Input::first(kind, team, names));
    let mut known = Tree::<()>::default();
    let mut faults = Faults::of(policy, names.is_some());
    let mut covered = Ran::default();
    let (started, mut calls) = (Instant::now(), 0);
    while let Some(asked) = queue.next() {
        if calls >= CALLS_MAX || started.elapsed() > Duration::from_millis(TIME_MS_MAX) {
            break;
        }
        let views = asked.input.views(kind);
        if known.get(views.facts()).is_some() {
            continue;
        }
        calls += 1;
        let ((fault, trace), watched) = watched(|| set.try_out(kind, policy, views.facts()));
        known.insert(&trace, Arc::new(()));
        if let Err(report) = fault {
            let report = match report.limit {
                Some(_) => at_loop(policy, report, &watched),
                None => report,
            };
            faults.stopped += usize::from(report.limit.is_some());
            faults.add(report, &trace, &asked.changed);
        }
        if faults.stopped >= STOPPED_MAX {
            break;
        }
        let is_new = covered.add(watched.ran.clone());
        queue.ran(asked, &trace, watched.ran, is_new, &world);
    }
    faults.sorted()
}

/// The report of a call that a limit stopped, at the loop that it was in.
fn at_loop(policy: &Policy, report: Report, watched: &Watched) -> Report {
    let last = watched
        .last
        .as_ref()
        .filter(|(file, _)| *file == policy.file);
    let found = last.and_then(|(_, place)| loop_around(&policy.ast, *place));
    match found {
        Some((line, column)) => report.at(&policy.text, line, column),
        None => report,
    }
}

/// The faults found so far.
struct Faults {
    reports: Vec<Report>,
    /// What was reported at each line and column.
    messages: BTreeMap<(u32, u32), Vec<Message>>,
    /// Where the script throws. It does so on purpose.
    throws: BTreeSet<(u32, u32)>,
    /// Whether it is known which rotations there are.
    knows_rotations: bool,
    /// How many calls a limit stopped.
    stopped: usize,
}

impl Faults {
    fn of(policy: &Policy, knows_rotations: bool) -> Self {
        let functions = functions(&policy.ast);
        let units = functions.iter().flat_map(units);
        let throws = units.filter(|(_, unit)| unit.does == Does::Throws);
        let at = |(line, column): (usize, usize)| {
            Some((u32::try_from(line).ok()?, u32::try_from(column).ok()?))
        };
        Self {
            reports: Vec::new(),
            messages: BTreeMap::new(),
            throws: throws.filter_map(|(key, _)| at(key)).collect(),
            knows_rotations,
            stopped: 0,
        }
    }

    fn add(&mut self, mut report: Report, trace: &Trace, changed: &[Read]) {
        let place = (report.line.unwrap_or(0), report.column.unwrap_or(0));
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

    fn sorted(mut self) -> Vec<Report> {
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
            middle.chars().all(|c| c.is_ascii_digit())
                || it.values.iter().any(|value| value.contains(&middle))
        };
        own(self) && own(other)
    }
}

fn shown(answer: &Answer) -> String {
    answer.bounded().to_string()
}
