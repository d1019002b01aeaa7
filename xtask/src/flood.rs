//! `cargo xtask flood`: sends many distinct alerts at once to a release build and checks its times.

use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::{paths, steps};

/// Arguments of `cargo xtask flood`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// How many alerts to send
    #[arg(long, default_value_t = 100_000)]
    alerts: u64,
}

/// Builds the program and floods it; the test prints what it measured.
///
/// # Errors
/// When the program cannot be built, or cargo cannot be started.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let mut build = paths::cargo();
    build.args(["build", "--release", "--package", "tocsin"]);
    if !steps::succeeds(&mut build)? {
        bail!("the program does not compile");
    }
    let flood = "flood::a_flood_of_alerts_is_accepted_completely_and_within_limits";
    let mut test = steps::one_test("hostile_input", flood);
    let program = paths::target().join("release").join("tocsin");
    test.env("TOCSIN_FLOOD_PROGRAM", program);
    test.env("TOCSIN_FLOOD_ALERTS", args.alerts.to_string());
    steps::code(&mut test)
}
