//! Simulated runs with combined faults. A failed run prints the command that repeats it;
//! `TOCSIN_SIM_SEED` replays one with its trace, `TOCSIN_SIM_SEEDS` sets the number of runs.
#![forbid(unsafe_code)]

use std::env;
use std::time::Instant;

use tocsin_tests::sim::{Bug, Simulation};

/// Runs of the ordinary tests, of each kind.
const SEEDS: u64 = 1_000;
/// Runs on sled, which flushes each commit.
const SLED_SEEDS: u64 = 20;
/// Runs within which every planted bug must be caught.
const BUG_SEEDS: u64 = 200;

fn number(name: &str) -> Option<u64> {
    env::var(name).ok()?.parse().ok()
}

/// Runs simulations, or one of them with its trace, if `TOCSIN_SIM_SEED` is set.
fn nothing_breaks(seeds: u64, of_seed: impl Fn(u64) -> Simulation) {
    if let Some(seed) = number("TOCSIN_SIM_SEED") {
        let outcome = of_seed(seed).run(None, true);
        println!("{}", outcome.lines.join("\n"));
        println!("seed {seed}: hash {}", outcome.hash);
        assert_eq!(outcome.broken, None, "seed {seed}");
        return;
    }
    let began = Instant::now();
    let broken: Vec<String> = (0..seeds)
        .map(of_seed)
        .filter_map(|simulation| {
            simulation
                .run(None, false)
                .broken
                .map(|why| (simulation, why))
        })
        .map(|(simulation, why)| {
            let (seed, again) = (simulation.seed, simulation.replay());
            format!("seed {seed}: {why}; repeat it with `{again}`")
        })
        .collect();
    println!("{seeds} runs in {:?}", began.elapsed());
    assert!(
        broken.is_empty(),
        "{} of {seeds} runs failed:\n{}",
        broken.len(),
        broken[..broken.len().min(20)].join("\n")
    );
}

fn seeds_or(usual: u64) -> u64 {
    number("TOCSIN_SIM_SEEDS").unwrap_or(usual)
}

#[test]
fn nothing_breaks_in_any_simulation() {
    nothing_breaks(seeds_or(SEEDS), Simulation::of_one);
}

#[test]
fn nothing_breaks_in_any_simulation_of_two_engines() {
    nothing_breaks(seeds_or(SEEDS), Simulation::of_two);
}

#[test]
fn nothing_breaks_in_any_simulation_of_two_engines_on_sled() {
    let of_seed = |seed| Simulation {
        on_sled: true,
        ..Simulation::of_two(seed)
    };
    nothing_breaks(seeds_or(SLED_SEEDS), of_seed);
}

#[test]
fn the_same_seed_is_the_same_simulation() {
    for of_seed in [Simulation::of_one, Simulation::of_two] {
        let hash = |seed| of_seed(seed).run(None, false).hash;
        for seed in 0..20 {
            assert_eq!(hash(seed), hash(seed), "seed {seed}");
        }
        assert_ne!(hash(1), hash(2));
    }
}

#[test]
fn every_planted_bug_is_caught() {
    every_bug_is_caught(&Bug::OF_ONE, Simulation::of_one);
}

#[test]
fn every_planted_bug_of_two_engines_is_caught() {
    every_bug_is_caught(&Bug::OF_TWO, Simulation::of_two);
}

fn every_bug_is_caught(bugs: &[Bug], of_seed: impl Fn(u64) -> Simulation) {
    for bug in bugs {
        let caught = (0..BUG_SEEDS).find_map(|seed| {
            let broken = of_seed(seed).run(Some(*bug), false).broken?;
            Some((seed, broken))
        });
        let (seed, why) = caught.unwrap_or_else(|| panic!("{bug:?} was not caught"));
        println!("{bug:?} is caught by seed {seed}: {why}");
    }
}
