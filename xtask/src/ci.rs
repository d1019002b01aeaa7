//! `cargo xtask ci`: every check that a change must pass.
//!
//! wasmtime is most of the build, so it is checked once (for clippy) and compiled once (for the
//! tests): all steps use the same features and profile.

use std::process::ExitCode;

use anyhow::Result;

use crate::steps::{Outcome, Report, answers};
use crate::{deny, paths, progress, test};

/// Arguments of `cargo xtask ci`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only these checks: formatting, dependencies, clippy, plugins, tests
    only: Vec<String>,
}

/// Runs the checks; all of them, even after one has failed.
///
/// # Errors
/// None at present: failures are counted.
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
        // With the workspace's profiles and folder, most crates have already been checked.
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

/// Runs a cargo subcommand that is a component of the toolchain.
fn component(subcommand: &str, component: &str, args: &[&str]) -> Result<Outcome> {
    if !answers(paths::cargo().args([subcommand, "--version"])) {
        let why = format!("{component} is missing; `rustup component add {component}` installs it");
        return Ok(Outcome::Skipped(why));
    }
    let mut command = paths::cargo();
    let passed = progress::succeeds(command.arg(subcommand).args(args), subcommand)?;
    Ok(Outcome::one(passed))
}
