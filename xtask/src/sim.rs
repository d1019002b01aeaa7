//! `cargo xtask sim`: runs many simulations, or repeats one of them with its trace.

use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::steps;

/// Arguments of `cargo xtask sim`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// How many simulations to run, from seed 0
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// Repeat the simulation of this seed and print what happens
    #[arg(long, conflicts_with = "seeds")]
    seed: Option<u64>,
    /// How many engines work on the store
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=2))]
    engines: u8,
    /// Keep the store of two engines in sled instead of in memory
    #[arg(long, requires = "seed")]
    sled: bool,
}

/// Runs the simulator; its test reports which seeds failed and why.
///
/// # Errors
/// When cargo cannot be started, or sled is requested for one engine.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    let test = match (args.engines, args.sled) {
        (1, false) => "nothing_breaks_in_any_simulation",
        (1, true) => bail!("`--sled` needs `--engines 2`"),
        (_, false) => "nothing_breaks_in_any_simulation_of_two_engines",
        (_, true) => "nothing_breaks_in_any_simulation_of_two_engines_on_sled",
    };
    let mut command = steps::one_test("sim", test);
    match args.seed {
        Some(seed) => command.env("TOCSIN_SIM_SEED", seed.to_string()),
        None => command.env("TOCSIN_SIM_SEEDS", args.seeds.to_string()),
    };
    steps::code(&mut command)
}
