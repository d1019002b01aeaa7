//! Nights that go wrong in every way at once. A night that breaks says how to live it again;
//! `TOCSIN_SIM_SEED` replays one with its trace, `TOCSIN_SIM_SEEDS` lives through more.
#![forbid(unsafe_code)]

use std::env;
use std::time::Instant;

use tocsin_tests::sim::{Bug, live, replay};

/// Nights of the ordinary test.
const SEEDS: u64 = 1_000;
/// Nights in which every planted bug must show.
const BUG_SEEDS: u64 = 200;

fn number(name: &str) -> Option<u64> {
    env::var(name).ok()?.parse().ok()
}

#[test]
fn nothing_breaks_in_any_night() {
    if let Some(seed) = number("TOCSIN_SIM_SEED") {
        let night = live(seed, None, true);
        println!("{}", night.lines.join("\n"));
        println!("seed {seed}: hash {}", night.hash);
        assert_eq!(night.broken, None, "seed {seed}");
        return;
    }
    let seeds = number("TOCSIN_SIM_SEEDS").unwrap_or(SEEDS);
    let began = Instant::now();
    let broken: Vec<String> = (0..seeds)
        .filter_map(|seed| live(seed, None, false).broken.map(|why| (seed, why)))
        .map(|(seed, why)| format!("seed {seed}: {why}; live it again with `{}`", replay(seed)))
        .collect();
    println!("{seeds} nights in {:?}", began.elapsed());
    assert!(
        broken.is_empty(),
        "{} of {seeds} nights broke:\n{}",
        broken.len(),
        broken[..broken.len().min(20)].join("\n")
    );
}

#[test]
fn the_same_seed_is_the_same_night() {
    for seed in 0..20 {
        let (once, twice) = (live(seed, None, false), live(seed, None, false));
        assert_eq!(once.hash, twice.hash, "seed {seed}");
    }
    assert_ne!(live(1, None, false).hash, live(2, None, false).hash);
}

#[test]
fn every_planted_bug_is_caught() {
    for bug in Bug::ALL {
        let caught = (0..BUG_SEEDS).find_map(|seed| {
            let broken = live(seed, Some(bug), false).broken?;
            Some((seed, broken))
        });
        let (seed, why) = caught.unwrap_or_else(|| panic!("{bug:?} was not caught"));
        println!("{bug:?} is caught by seed {seed}: {why}");
    }
}
