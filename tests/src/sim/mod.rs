//! The simulator: the real core and the real engine through nights that no tester could wait
//! for. Everything is drawn from a seed and runs on one thread, so that a night that went wrong
//! can be lived again. It prevents the failure that only shows when a disk, a plugin and a clock
//! go wrong together.

mod bug;
mod cast;
mod check;
mod outside;
mod rng;
mod store;
mod trace;
mod world;

pub use bug::Bug;
pub(crate) use rng::Rng;

use trace::Trace;
use world::World;

/// What a night came to.
#[derive(Clone, Debug)]
pub struct Night {
    /// Its seed.
    pub seed: u64,
    /// What was broken, if anything was.
    pub broken: Option<String>,
    /// The hash of all that happened.
    pub hash: String,
    /// All that happened, if it was to be kept.
    pub lines: Vec<String>,
}

/// Lives through the night of a seed, with a planted bug or none.
#[must_use]
pub fn live(seed: u64, bug: Option<Bug>, keeps_lines: bool) -> Night {
    let mut trace = Trace::new(keeps_lines);
    let broken = match World::new(seed, bug, trace.clone()) {
        Ok(mut world) => {
            let lived = world.live();
            trace = world.trace;
            lived.err()
        }
        Err(broken) => Some(broken),
    };
    Night {
        seed,
        broken,
        hash: trace.hash(),
        lines: trace.lines().to_vec(),
    }
}

/// How to live a night again.
#[must_use]
pub fn replay(seed: u64) -> String {
    format!("cargo xtask sim --seed {seed}")
}
