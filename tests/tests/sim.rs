//! Simulated nights with combined faults. A failed night prints the command that repeats it;
//! `TOCSIN_SIM_SEED` replays one with its trace, `TOCSIN_SIM_SEEDS` sets the number of nights.
#![forbid(unsafe_code)]

use std::env;
use std::time::Instant;

use tocsin_tests::sim::{Bug, Night};

/// Nights of the ordinary tests, of each kind.
const SEEDS: u64 = 1_000;
/// Nights on sled, which flushes each commit.
const SLED_SEEDS: u64 = 20;
/// Nights within which every planted bug must be caught.
const BUG_SEEDS: u64 = 200;

fn number(name: &str) -> Option<u64> {
    env::var(name).ok()?.parse().ok()
}

/// Runs nights, or one of them with its trace if `TOCSIN_SIM_SEED` is set.
fn nothing_breaks(seeds: u64, night_of: impl Fn(u64) -> Night) {
    if let Some(seed) = number("TOCSIN_SIM_SEED") {
        let outcome = night_of(seed).live(None, true);
        println!("{}", outcome.lines.join("\n"));
        println!("seed {seed}: hash {}", outcome.hash);
        assert_eq!(outcome.broken, None, "seed {seed}");
        return;
    }
    let began = Instant::now();
    let broken: Vec<String> = (0..seeds)
        .map(night_of)
        .filter_map(|night| night.live(None, false).broken.map(|why| (night, why)))
        .map(|(night, why)| {
            let (seed, again) = (night.seed, night.replay());
            format!("seed {seed}: {why}; repeat it with `{again}`")
        })
        .collect();
    println!("{seeds} nights in {:?}", began.elapsed());
    assert!(
        broken.is_empty(),
        "{} of {seeds} nights failed:\n{}",
        broken.len(),
        broken[..broken.len().min(20)].join("\n")
    );
}

fn seeds_or(usual: u64) -> u64 {
    number("TOCSIN_SIM_SEEDS").unwrap_or(usual)
}

#[test]
fn nothing_breaks_in_any_night() {
    nothing_breaks(seeds_or(SEEDS), Night::of_one);
}

#[test]
fn nothing_breaks_in_any_night_of_two_engines() {
    nothing_breaks(seeds_or(SEEDS), Night::of_two);
}

#[test]
fn nothing_breaks_in_any_night_of_two_engines_on_sled() {
    let night_of = |seed| Night {
        on_sled: true,
        ..Night::of_two(seed)
    };
    nothing_breaks(seeds_or(SLED_SEEDS), night_of);
}

#[test]
fn the_same_seed_is_the_same_night() {
    for night_of in [Night::of_one, Night::of_two] {
        let hash = |seed| night_of(seed).live(None, false).hash;
        for seed in 0..20 {
            assert_eq!(hash(seed), hash(seed), "seed {seed}");
        }
        assert_ne!(hash(1), hash(2));
    }
}

#[test]
fn every_planted_bug_is_caught() {
    every_bug_is_caught(&Bug::OF_ONE, Night::of_one);
}

#[test]
fn every_planted_bug_of_two_engines_is_caught() {
    every_bug_is_caught(&Bug::OF_TWO, Night::of_two);
}

fn every_bug_is_caught(bugs: &[Bug], night_of: impl Fn(u64) -> Night) {
    for bug in bugs {
        let caught = (0..BUG_SEEDS).find_map(|seed| {
            let broken = night_of(seed).live(Some(*bug), false).broken?;
            Some((seed, broken))
        });
        let (seed, why) = caught.unwrap_or_else(|| panic!("{bug:?} was not caught"));
        println!("{bug:?} is caught by seed {seed}: {why}");
    }
}
