//! `cargo xtask ci`: everything that must hold before a change is accepted.
//!
//! wasmtime is most of the build, so each of its two compilations (checked for clippy, compiled for
//! the tests) happens once, with the same features and the same profile for every later step.

use std::process::ExitCode;

use anyhow::Result;

use crate::steps::{Outcome, Report, answers};
use crate::{deny, paths, progress, test};

/// What `cargo xtask ci` takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only these checks: formatting, dependencies, clippy, plugins, tests
    only: Vec<String>,
}

/// Runs the checks; all of them, even after one has failed.
///
/// # Errors
/// Never at present: what fails is counted.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let mut report = Report::of(&args.only);
    report.step("formatting", || {
        let workspace = component("fmt", "rustfmt", &["--all", "--", "--check"])?;
        let benches = ["--manifest-path", "benches/Cargo.toml", "--", "--check"];
        Ok(workspace.and(component("fmt", "rustfmt", &benches)?))
    });
    report.step("dependencies", deny::check);
    report.step("clippy", || {
        let args = ["--workspace", "--all-targets", "--", "-D", "warnings"];
        let workspace = component("clippy", "clippy", &args)?;
        // With the workspace's profiles and folder, four of five crates are checked already.
        let target = paths::target();
        let target = target.to_string_lossy();
        let benches = ["--manifest-path", "benches/Cargo.toml", "--locked"];
        let shared = ["--config", "Cargo.toml", "--target-dir", &target];
        let args = [&benches[..], &shared, &["--", "-D", "warnings"]].concat();
        Ok(workspace.and(component("clippy", "clippy", &args)?))
    });
    test::add_steps(&mut report, &[]);
    Ok(report.finish())
}

/// Runs a subcommand of cargo that comes as a component of the toolchain.
fn component(subcommand: &str, component: &str, args: &[&str]) -> Result<Outcome> {
    if !answers(paths::cargo().args([subcommand, "--version"])) {
        let why = format!("{component} is missing; `rustup component add {component}` installs it");
        return Ok(Outcome::Skipped(why));
    }
    let mut command = paths::cargo();
    let passed = progress::succeeds(command.arg(subcommand).args(args), subcommand)?;
    Ok(Outcome::one(passed))
}
