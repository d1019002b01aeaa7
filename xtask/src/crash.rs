//! `cargo xtask crash`: kills the program many times, or repeats one run.

use std::process::ExitCode;

use anyhow::Result;

use crate::{paths, plugins, steps};

/// Arguments of `cargo xtask crash`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// How many times the program is killed
    #[arg(long, default_value_t = 1_000)]
    kills: u32,
    /// Repeat the random choices of the run with this seed; the machine's timing still differs
    #[arg(long)]
    seed: Option<u64>,
}

/// Builds the plugins and runs the crash test, which prints its counts.
///
/// # Errors
/// When the plugins cannot be built or cargo cannot be started.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    plugins::run(&plugins::Args::default())?;
    let mut command = steps::one_test("crash", "nothing_is_lost_however_often_it_is_killed");
    command
        .env("TOCSIN_CRASH_KILLS", args.kills.to_string())
        .env("TOCSIN_PLUGINS", paths::target().join("plugins"));
    if let Some(seed) = args.seed {
        command.env("TOCSIN_CRASH_SEED", seed.to_string());
    }
    steps::code(&mut command)
}
