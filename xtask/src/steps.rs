//! Runs named steps and reports which passed. Every step runs even if an earlier one failed, so
//! that one run shows every failure.

use std::fmt;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::paths;

/// How many checks a step made, and how they ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: u32,
    pub(crate) failed: u32,
    pub(crate) skipped: u32,
}

impl Counts {
    /// One check that passed, or one that failed.
    pub(crate) fn one(passed: bool) -> Self {
        Self {
            passed: passed.into(),
            failed: (!passed).into(),
            skipped: 0,
        }
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 {
            write!(f, ", {} skipped", self.skipped)?;
        }
        Ok(())
    }
}

/// How a step ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It ran, with these counts; `skips` lists what was skipped and why.
    Ran { counts: Counts, skips: Vec<String> },
    /// It could not run here, for this reason.
    Skipped(String),
}

impl Outcome {
    /// A step with a single check.
    pub(crate) fn one(passed: bool) -> Self {
        Self::Ran {
            counts: Counts::one(passed),
            skips: Vec::new(),
        }
    }

    /// Combines two checks into one step.
    pub(crate) fn and(self, other: Self) -> Self {
        match (self, other) {
            (
                Self::Ran {
                    mut counts,
                    mut skips,
                },
                Self::Ran {
                    counts: more,
                    skips: others,
                },
            ) => {
                counts.add(more);
                skips.extend(others);
                Self::Ran { counts, skips }
            }
            (skipped @ Self::Skipped(_), _) | (_, skipped) => skipped,
        }
    }
}

struct Row {
    name: &'static str,
    took: Duration,
    counts: Counts,
    notes: Vec<String>,
}

/// Collects the results of the steps of one run.
#[derive(Default)]
pub(crate) struct Report {
    only: Vec<String>,
    rows: Vec<Row>,
}

impl Report {
    /// A report of the steps named in `only`, or of all steps if it is empty.
    pub(crate) fn of(only: &[String]) -> Self {
        Self {
            only: only.to_vec(),
            rows: Vec::new(),
        }
    }

    /// Runs a step if it is selected. An error counts as one failed check.
    pub(crate) fn step(&mut self, name: &'static str, work: impl FnOnce() -> Result<Outcome>) {
        if !self.only.is_empty() && !self.only.iter().any(|it| it == name) {
            return;
        }
        println!("\n== {name}");
        let start = Instant::now();
        let (counts, notes) = match work() {
            Ok(Outcome::Ran { counts, skips }) => (counts, skips),
            Ok(Outcome::Skipped(why)) => (
                Counts {
                    skipped: 1,
                    ..Counts::default()
                },
                vec![format!("{name}: {why}")],
            ),
            Err(error) => {
                println!("error: {error:#}");
                (Counts::one(false), Vec::new())
            }
        };
        let took = start.elapsed();
        println!("== {name}: {counts} in {:.1} s", took.as_secs_f64());
        self.rows.push(Row {
            name,
            took,
            counts,
            notes,
        });
    }

    /// Prints the table and the totals; the exit code is a failure if any check failed or nothing
    /// was checked.
    pub(crate) fn finish(self) -> ExitCode {
        let mut total = Counts::default();
        println!();
        for row in &self.rows {
            let mark = if row.counts.failed > 0 {
                "FAILED"
            } else {
                "ok"
            };
            let seconds = row.took.as_secs_f64();
            println!(
                "{mark:>6}  {:<14} {seconds:>7.1} s  {}",
                row.name, row.counts
            );
            total.add(row.counts);
        }
        for note in self.rows.iter().flat_map(|row| &row.notes) {
            println!("skipped {note}");
        }
        if self.rows.is_empty() {
            println!("no such check: {}", self.only.join(" "));
            total.failed = 1;
        }
        println!("{total}");
        if total.failed > 0 {
            ExitCode::FAILURE
        } else {
            ExitCode::SUCCESS
        }
    }
}

/// Runs a command without stdin and shows its output; true if it succeeded.
///
/// # Errors
/// When the program cannot be started.
pub(crate) fn succeeds(command: &mut Command) -> Result<bool> {
    let status = command.stdin(Stdio::null()).status();
    Ok(status
        .with_context(|| format!("cannot start {command:?}"))?
        .success())
}

/// A command that runs one test of the workspace and shows its output.
pub(crate) fn one_test(binary: &str, test: &str) -> Command {
    let mut command = paths::cargo();
    command.args(["test", "--workspace", "--test", binary]);
    command.args(["--", "--exact", test, "--nocapture"]);
    command
}

/// Runs a command like [`succeeds`], for commands whose failure is the exit code.
///
/// # Errors
/// When the program cannot be started.
pub(crate) fn code(command: &mut Command) -> Result<ExitCode> {
    Ok(match succeeds(command)? {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

/// Runs a command and hides its output; true if it could be started and succeeded.
pub(crate) fn answers(command: &mut Command) -> bool {
    let quiet = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_with_a_failed_step_continues_and_fails() {
        let mut report = Report::of(&[]);
        report.step("first", || anyhow::bail!("broken"));
        let mut ran = false;
        report.step("second", || {
            ran = true;
            Ok(Outcome::one(true))
        });
        assert!(ran);
        assert_eq!(report.finish(), ExitCode::FAILURE);
    }
}
