//! Runs the tests of policies, also in a platform team's CI: `NAME.test.toml` has inputs and
//! expected results for `NAME.rhai`.

mod case;
mod compare;

use std::fmt;
use std::path::Path;

use serde::Serialize;

use crate::kind::Kind;
use crate::load::{find, read, shown};
use crate::report::Report;
use crate::set::PolicySet;

use case::{Case, Question};

/// The result of running the tests of a set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TestReport {
    /// The number of passed tests.
    pub passed: usize,
    /// Tests that ran and failed.
    pub failures: Vec<TestFailure>,
    /// Why tests could not run: faults in the policies or the test files.
    pub faults: Vec<Report>,
}

/// A failed test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TestFailure {
    pub file: String,
    /// The line of the test's name, from 1.
    pub line: usize,
    pub name: String,
    /// What differs, field by field.
    pub differences: Vec<Difference>,
    /// The policy's reason, or the report of its failure.
    pub because: String,
}

/// A field that differs from the expectation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// For example `steps[0].wait`.
    pub field: String,
    pub expected: String,
    /// What the policy returned.
    pub found: String,
}

impl TestReport {
    /// Whether every test ran and passed.
    #[must_use]
    pub fn ok(&self) -> bool {
        self.failures.is_empty() && self.faults.is_empty()
    }
}

impl fmt::Display for TestReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for fault in &self.faults {
            writeln!(f, "{fault}\n")?;
        }
        for failure in &self.failures {
            writeln!(f, "{failure}\n")?;
        }
        write!(f, "{} passed, {} failed", self.passed, self.failures.len())?;
        match self.faults.len() {
            0 => Ok(()),
            faults => write!(f, ", {faults} could not run"),
        }
    }
}

impl fmt::Display for TestFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.name)?;
        for difference in &self.differences {
            write!(f, "\n  - {} = {}", difference.field, difference.expected)?;
            write!(f, "\n  + {} = {}", difference.field, difference.found)?;
        }
        for line in self.because.lines() {
            write!(f, "\n    {line}")?;
        }
        Ok(())
    }
}

#[must_use]
pub fn run_tests(dir: &Path) -> TestReport {
    let mut report = TestReport::default();
    let set = match PolicySet::load(dir) {
        Ok(set) => set,
        Err(reports) => {
            report.faults = reports.0;
            return report;
        }
    };
    let (cases, faults) = cases(dir);
    report.faults = faults;
    for case in cases {
        match run(&set, &case) {
            None => report.passed = report.passed.saturating_add(1),
            Some(failure) => report.failures.push(failure),
        }
    }
    report
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
        let read = read(&shown, &found.path);
        match read.and_then(|text| case::parse(&shown, &text, &found)) {
            Ok(mut more) => cases.append(&mut more),
            Err(report) => faults.push(report),
        }
    }
    (cases, faults)
}

/// Runs one test; none if it passes.
fn run(set: &PolicySet, case: &Case) -> Option<TestFailure> {
    let answer = match &case.question {
        Question::Route(alert) => set.route(alert, &case.context).map(compare::route),
        Question::Grade(incident, alert) => set
            .grade(incident, alert, &case.context)
            .map(compare::grading),
        Question::Escalate(incident) => set
            .escalate(incident, &case.context)
            .map(|plan| compare::plan(plan, &case.context)),
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
    })
}

/// The kinds of policies that can have tests.
const TESTED: [Kind; 3] = [Kind::Routing, Kind::Grading, Kind::Escalation];
