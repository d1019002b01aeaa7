//! `cargo xtask dst`: tests who is on call at every clock change of every time zone.

use std::process::ExitCode;

use anyhow::Result;

use crate::{paths, steps};

/// Arguments of `cargo xtask dst`.
#[derive(clap::Args)]
pub(crate) struct Args {}

/// What runs hot in these tests: optimized, unlike the rest, which is not compiled again.
const HOT: [&str; 5] = [
    "tocsin",
    "tocsin-core",
    "tocsin-policy",
    "chrono",
    "chrono-tz",
];
/// The tests, by a part of their names.
const TESTS: [&str; 2] = ["people::tests::no_hole", "people::tests::clock_changes"];

/// Runs the tests of rotations over every time zone through 2037 instead of over a sample.
///
/// # Errors
/// When cargo cannot be started.
pub(crate) fn run(_: &Args) -> Result<ExitCode> {
    let mut command = paths::cargo();
    command.args(["test", "--package", "tocsin", "--lib"]);
    for package in HOT {
        let optimized = format!("profile.dev.package.{package}.opt-level=2");
        command.args(["--config", &optimized]);
    }
    command.arg("--").args(TESTS).arg("--nocapture");
    steps::code(command.env("TOCSIN_DST", "full"))
}
