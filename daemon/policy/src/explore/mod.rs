//! Runs a policy on questions that are made for it, to find what fails without a test.
//!
//! It begins with one plain question. After each call it looks at what the policy read, and asks
//! again so that one of these reads finds something else: a text or number that the script
//! contains, another grade, another hour. Questions that lead to code that never ran come first,
//! and a question that would read the same as an earlier one is skipped.

mod answers;
mod candidates;
mod faults;
mod input;
mod queue;
mod words;

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::compiled::Policy;
use crate::kind::Kind;
use crate::names::Names;
use crate::report::Report;
use crate::script::loop_around;
use crate::set::PolicySet;
use crate::trace::Tree;
use crate::watch::{Ran, Watched, watched};

use answers::World;
use faults::Faults;
use input::Input;
use queue::Queue;
use words::Words;

/// Most calls of one function.
const CALLS_MAX: usize = 2_000;
/// Longest time that one function is called, in milliseconds.
const TIME_MS_MAX: u64 = 2_000;
/// Most calls that a limit stopped, since each takes long.
const STOPPED_MAX: usize = 2;

/// The faults of a policy, which the daemon asks, by line. `set` notes what runs.
pub(crate) fn explore(
    set: &PolicySet,
    team: Option<&str>,
    kind: Kind,
    policy: &Policy,
    names: Option<&Names>,
) -> Vec<Report> {
    let libs = policy.libs.scripts.values();
    let texts = std::iter::once(policy.text.as_str()).chain(libs.map(|it| it.text.as_str()));
    let policies = set.policies().keys();
    let elsewhere = policies.filter(|it| it.1 == kind && team.is_none());
    let world = World {
        kind,
        team,
        elsewhere: elsewhere.filter_map(|it| it.0.as_deref()).collect(),
        names,
        words: Words::of(texts, names),
    };
    let mut faults = Faults::of(policy, names.is_some());
    for &(function, parameters) in kind.functions() {
        ask(set, &world, (function, parameters), policy, &mut faults);
    }
    faults.sorted()
}

/// Asks one function, and collects its faults.
fn ask(
    set: &PolicySet,
    world: &World<'_>,
    (function, parameters): (&str, &'static [&'static str]),
    policy: &Policy,
    faults: &mut Faults,
) {
    let mut queue = Queue::new(Input::first(world.kind, world.team, world.names));
    let mut known = Tree::<()>::default();
    let mut covered = Ran::default();
    let (started, mut calls) = (Instant::now(), 0);
    while let Some(asked) = queue.next() {
        if calls >= CALLS_MAX || started.elapsed() > Duration::from_millis(TIME_MS_MAX) {
            break;
        }
        let views = asked.input.views(parameters);
        if known.get(views.facts()).is_some() {
            continue;
        }
        calls += 1;
        let ((fault, trace), watched) = watched(|| set.try_out(function, policy, views.facts()));
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
        queue.ran(asked, &trace, watched.ran, is_new, world);
    }
}

/// The report of a call that a limit stopped, at the loop that it was in.
fn at_loop(policy: &Policy, report: Report, watched: &Watched) -> Report {
    let last = watched
        .last
        .as_ref()
        .filter(|(file, _)| *file == policy.file);
    let found = last.and_then(|(_, place)| loop_around(&policy.ast, *place));
    match found {
        Some(at) => {
            let (line, column) = policy.original(at);
            report.at(&policy.text, line, column)
        }
        None => report,
    }
}
