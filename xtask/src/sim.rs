//! `cargo xtask sim`: many simulated nights, or one of them again with its trace.

use std::process::ExitCode;

use anyhow::Result;

use crate::paths;
use crate::steps::succeeds;

/// What `cargo xtask sim` takes.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// How many nights to live through, from seed 0
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// Live this one night again and print what happens
    #[arg(long, conflicts_with = "seeds")]
    seed: Option<u64>,
}

/// Runs the simulator; its test says which seeds broke and why.
///
/// # Errors
/// When cargo cannot be started.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let mut command = paths::cargo();
    command.args([
        "test",
        "--workspace",
        "--test",
        "sim",
        "--",
        "--exact",
        "nothing_breaks_in_any_night",
        "--nocapture",
    ]);
    match args.seed {
        Some(seed) => command.env("TOCSIN_SIM_SEED", seed.to_string()),
        None => command.env("TOCSIN_SIM_SEEDS", args.seeds.to_string()),
    };
    Ok(match succeeds(&mut command)? {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}
