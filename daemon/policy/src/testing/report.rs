//! What running the tests of a set found.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

use super::coverage::FileCoverage;
use crate::report::Report;

/// The result of running the tests of a set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TestReport {
    /// The number of passed tests.
    pub passed: usize,
    pub passes: Vec<TestPass>,
    /// Tests that ran and failed.
    pub failures: Vec<TestFailure>,
    /// Faults in the policies and the test files.
    pub faults: Vec<Report>,
    /// Tests that did not run because the policy that would answer has a fault.
    pub not_run: usize,
    /// What no test ran, file by file; empty when only some tests were run.
    pub coverage: Vec<FileCoverage>,
}

/// A passed test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TestPass {
    pub file: String,
    /// The line of the test's name, from 1.
    pub line: usize,
    pub name: String,
    /// The policy file that answered, relative to the policies' folder.
    pub answered_by: String,
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
    /// Whether `because` is the report of a failure.
    pub is_fault: bool,
    /// The policy file that answered, relative to the policies' folder.
    pub answered_by: String,
    /// Whether that is a team's file, though the test is of the common one.
    pub is_of_team: bool,
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
        self.failures.is_empty() && self.faults.is_empty() && self.not_run == 0
    }

    /// How many passed, failed and did not run.
    #[must_use]
    pub fn summary(&self) -> String {
        let mut text = format!("{} passed, {} failed", self.passed, self.failures.len());
        if self.not_run > 0 {
            let count = self.not_run;
            text.push_str(&format!(
                ", {count} did not run because their policy has a fault"
            ));
        }
        text
    }
}

impl fmt::Display for TestReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for fault in &self.faults {
            writeln!(f, "{fault}\n")?;
        }
        let mut seen = BTreeSet::new();
        for failure in &self.failures {
            if failure.is_fault && !seen.insert(&failure.because) {
                let place = failure.because.lines().next().unwrap_or_default();
                writeln!(f, "{}\n    the same fault: {place}\n", failure.heading())?;
            } else {
                writeln!(f, "{failure}\n")?;
            }
        }
        f.write_str(&self.summary())
    }
}

impl fmt::Display for TestPass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            line,
            name,
            answered_by,
        } = self;
        write!(f, "{file}:{line}: {name}: passed ({answered_by})")
    }
}

impl TestFailure {
    fn heading(&self) -> String {
        format!("{}:{}: {}", self.file, self.line, self.name)
    }
}

impl TestFailure {
    /// As the fault of a set, which it keeps from being put in force.
    pub(super) fn report(&self) -> Report {
        let first = self.differences.first();
        let differs = first.map(|it| {
            format!(
                "{} should be {}, and is {}",
                it.field, it.expected, it.found
            )
        });
        let why = match self.is_fault {
            true => self.because.lines().next().unwrap_or_default().to_owned(),
            false => differs.unwrap_or_default(),
        };
        let message = format!("the test `{}` fails: {why}", self.name);
        let remedy =
            "correct the policy or its test; `tocsin policy test` shows the whole difference";
        let mut report = Report::new(&self.file, message, remedy);
        report.line = u32::try_from(self.line).ok();
        report
    }
}

impl fmt::Display for TestFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.heading())?;
        for difference in &self.differences {
            write!(f, "\n  - {} = {}", difference.field, difference.expected)?;
            write!(f, "\n  + {} = {}", difference.field, difference.found)?;
        }
        for line in self.because.lines() {
            write!(f, "\n    {line}")?;
        }
        if self.is_of_team {
            let file = &self.answered_by;
            write!(f, "\n    {file} answered, as the incident is that team's")?;
        }
        Ok(())
    }
}
