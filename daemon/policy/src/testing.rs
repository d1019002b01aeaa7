//! Runs the tests of policies, also in a platform team's CI: `NAME.test.toml` has inputs and
//! expected results for `NAME.rhai`.

mod around;
mod case;
pub(crate) mod compare;
mod coverage;
mod inputs;
mod report;
mod shape;

use std::path::Path;
use std::time::{Duration, Instant};

use crate::kind::Kind;
use crate::limits::{REPORTS_MAX, REQUIRED_TESTS_MS_MAX};
use crate::load::{Slot, find, misplaced_tests, read, shown, slot};
use crate::report::{Report, Reports};
use crate::set::PolicySet;
use crate::watch::{Ran, watched};

use case::{Case, Question};
pub use coverage::FileCoverage;
pub use report::{Difference, TestFailure, TestPass, TestReport};

/// The kinds of policies that can have tests.
const TESTED: [Kind; 4] = [
    Kind::Routing,
    Kind::Grading,
    Kind::Escalation,
    Kind::Communication,
];

/// Runs the tests in `dir`, or those whose name contains `only`, whatever the case of its letters.
/// A file with a fault stops only the tests that need it.
#[must_use]
pub fn run_tests(dir: &Path, only: Option<&str>) -> TestReport {
    let (set, mut faults) = PolicySet::watched(dir);
    let mut report = TestReport::default();
    let (cases, more) = match dir.is_dir() {
        true => cases(dir),
        false => (Vec::new(), Vec::new()),
    };
    faults.extend(more);
    faults.extend(misplaced_tests(dir));
    report.faults = faults;
    let broken = broken(dir, &set);
    let only = only.map(str::to_lowercase);
    let wanted = |case: &Case| {
        let only = only.as_ref();
        only.is_none_or(|only| case.name.to_lowercase().contains(only))
    };
    let mut covered = Ran::default();
    for case in cases.iter().filter(|case| wanted(case)) {
        let Some(answers) = answering(&set, &broken, case) else {
            report.not_run = report.not_run.saturating_add(1);
            continue;
        };
        let (failure, ran) = watched(|| run(&set, case, &answers));
        covered.add(ran.ran);
        match failure {
            None => {
                report.passed = report.passed.saturating_add(1);
                report.passes.push(TestPass {
                    file: case.file.clone(),
                    line: case.line,
                    name: case.name.clone(),
                    answered_by: answers,
                });
            }
            Some(failure) => report.failures.push(failure),
        }
    }
    if only.is_none() {
        let tested = set.policies().iter();
        let tested = tested.filter(|((_, kind), _)| TESTED.contains(kind));
        let tested = tested.map(|(_, policy)| policy).chain(set.libs());
        let coverage = tested.map(|script| FileCoverage::of(script, &covered));
        report.coverage = coverage.collect();
    }
    report
}

/// Runs the tests in `dir` on a set that was loaded from it, before it is put in force.
///
/// # Errors
/// The tests that failed, the faults of test files, and a report if there was not enough time.
pub fn require_tests(set: &PolicySet, dir: &Path) -> Result<(), Reports> {
    let (cases, mut reports) = cases(dir);
    let started = Instant::now();
    for (done, case) in cases.iter().enumerate() {
        if reports.len() >= REPORTS_MAX {
            break;
        }
        if started.elapsed() > Duration::from_millis(REQUIRED_TESTS_MS_MAX) {
            let seconds = REQUIRED_TESTS_MS_MAX / 1_000;
            let message = format!(
                "the tests take longer than {seconds} s: {done} of {} ran",
                cases.len()
            );
            let remedy = "make the policies faster or the tests fewer";
            reports.push(Report::new(&dir.display().to_string(), message, remedy));
            break;
        }
        reports.extend(run(set, case, "").map(|it| it.report()));
    }
    // What the tests asked says nothing about what the daemon will be asked.
    set.forget_verdicts();
    match reports.is_empty() {
        true => Ok(()),
        false => Err(Reports(reports)),
    }
}

/// The tests of a folder, and the faults of test files.
pub(crate) fn cases(dir: &Path) -> (Vec<Case>, Vec<Report>) {
    let mut cases = Vec::new();
    let mut faults = Vec::new();
    let files = match find(dir, ".test.toml") {
        Ok(files) => files,
        Err(report) => return (cases, vec![report]),
    };
    for found in files {
        let shown = shown(dir, &found.file);
        match read(&shown, &found.path) {
            Ok(text) => {
                let (mut more, mut wrong) = case::parse(&shown, &text, &found);
                cases.append(&mut more);
                faults.append(&mut wrong);
            }
            Err(report) => faults.push(report),
        }
    }
    (cases, faults)
}

/// The policies of the folder that have a fault.
fn broken(dir: &Path, set: &PolicySet) -> Vec<Slot> {
    let files = find(dir, ".rhai").unwrap_or_default();
    let slots = files.iter().filter_map(slot);
    slots
        .filter(|slot| !set.policies().contains_key(slot))
        .collect()
}

/// The file that answers a test; none if it has a fault.
fn answering(set: &PolicySet, broken: &[Slot], case: &Case) -> Option<String> {
    let kind = case.kind();
    let team = case.team().map(str::to_owned);
    if broken.contains(&(team.clone(), kind)) {
        return None;
    }
    let policies = set.policies();
    let policy = policies
        .get(&(team, kind))
        .or_else(|| policies.get(&(None, kind)));
    let common = (None, kind);
    match policy {
        Some(policy) => Some(policy.file.clone()),
        None if kind.required() || broken.contains(&common) => None,
        None => Some(tocsin_core::PolicySource::BUILTIN.to_owned()),
    }
}

/// Runs one test; none if it passes.
fn run(set: &PolicySet, case: &Case, answers: &str) -> Option<TestFailure> {
    let answer = match &case.question {
        Question::Route(alert) => set.route(alert, &case.context).map(compare::route),
        Question::Grade(incident, alert) => set
            .grade(incident, alert, &case.context)
            .map(compare::grading),
        Question::Escalate(incident) => set
            .escalate(incident, &case.context)
            .map(|plan| compare::plan(plan, &case.context)),
        Question::Cadence(incident) => set
            .cadence_with_basis(incident, &case.context)
            .map(|it| compare::cadence(it.0)),
        Question::Respond(incident, candidates) => set
            .respond_with_basis(incident, candidates, &case.context)
            .map(|it| compare::response(it.0)),
    };
    let (differences, because) = match &answer {
        Ok(answer) => {
            let reason = answer
                .get("reason")
                .and_then(|reason| reason.as_str())
                .unwrap_or("");
            (
                compare::differences(&case.expect, answer),
                format!("reason: {reason}"),
            )
        }
        Err(report) => (
            compare::error_differences(&case.expect, report),
            report.to_string(),
        ),
    };
    if differences.is_empty() {
        return None;
    }
    Some(TestFailure {
        file: case.file.clone(),
        line: case.line,
        name: case.name.clone(),
        differences,
        because,
        is_fault: answer.is_err(),
        answered_by: answers.to_owned(),
        is_of_team: case.is_common && answers.starts_with("teams/"),
    })
}
