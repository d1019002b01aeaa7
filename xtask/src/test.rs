//! `cargo xtask test`: every test of the workspace, with cargo-nextest where it is installed.
//!
//! A test that needs something that this machine lacks writes a line to the file that
//! `TOCSIN_SKIPS` names; those lines are shown at the end, so that no skip goes unnoticed.

use std::fs;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};

use crate::runner::{Runner, tests};
use crate::steps::{Outcome, Report, answers};
use crate::{paths, plugins, progress};

/// Arguments of `cargo xtask test`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only tests whose name contains one of these
    filters: Vec<String>,
}

/// Runs the tests and ends with a line that counts them.
///
/// # Errors
/// None at present: failures are counted.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let mut report = Report::of(&[]);
    add_steps(&mut report, &args.filters);
    Ok(report.finish())
}

/// Adds the tests, and the plugins that they load, to a report.
pub(crate) fn add_steps(report: &mut Report, filters: &[String]) {
    report.step("plugins", || {
        plugins::run(&plugins::Args::default()).map(|()| Outcome::one(true))
    });
    report.step("tests", || workspace_tests(filters));
}

fn workspace_tests(filters: &[String]) -> Result<Outcome> {
    let skips = paths::target().join("tmp").join("skips.txt");
    fs::create_dir_all(paths::target().join("tmp")).context("cannot make the build folder")?;
    fs::write(&skips, "").with_context(|| format!("cannot write {}", skips.display()))?;
    // Compile everything first, with a progress display.
    let mut build = paths::cargo();
    build.args(["test", "--workspace", "--no-run"]);
    if !progress::succeeds(&mut build, "the tests")? {
        bail!("the tests do not compile; see cargo's output above");
    }
    let (runner, mut command) = runner(filters);
    command.env("TOCSIN_SKIPS", &skips);
    command.env("TOCSIN_PLUGINS", paths::target().join("plugins"));
    let mut counts = tests(runner, &mut command)?;
    let mut named: Vec<String> = fs::read_to_string(&skips)?
        .lines()
        .map(|line| line.replace('\t', ": "))
        .collect();
    named.sort();
    named.dedup();
    let moved = u32::try_from(named.len())
        .unwrap_or(u32::MAX)
        .min(counts.passed);
    counts.passed -= moved;
    counts.skipped += moved;
    Ok(Outcome::Ran {
        counts,
        skips: named,
    })
}

fn runner(filters: &[String]) -> (Runner, Command) {
    let mut command = paths::cargo();
    let options = ["--workspace", "--no-fail-fast", "--color", "never"];
    let has_nextest = answers(Command::new("cargo-nextest").args(["nextest", "--version"]));
    if has_nextest {
        command.args(["nextest", "run"]).args(options).args(filters);
        return (Runner::Nextest, command);
    }
    command.arg("test").args(options).arg("--").args(filters);
    (Runner::Libtest, command)
}
