//! The simulator: runs the real core and the real engine with combined faults of disk, plugins and
//! clock. Everything is derived from a seed and runs on one thread, so that a failed run can be
//! repeated.

mod bug;
mod cast;
mod check;
mod disk;
mod history;
mod on_call;
mod outside;
mod rng;
mod store;
mod trace;
mod world;

pub use bug::Bug;
pub(crate) use rng::Rng;

use trace::Trace;
use world::World;

/// The parameters of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Simulation {
    /// Everything that happens is derived from it.
    pub seed: u64,
    /// How many engines share the store: one or two.
    pub engines: usize,
    /// Whether the store is sled on disk instead of in memory.
    pub on_sled: bool,
}

/// The result of a run.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The first broken rule, if any.
    pub broken: Option<String>,
    /// The hash of the trace.
    pub hash: String,
    /// The trace, if it was kept.
    pub lines: Vec<String>,
}

impl Simulation {
    /// The run of a seed with one engine.
    #[must_use]
    pub fn of_one(seed: u64) -> Self {
        Self {
            seed,
            engines: 1,
            on_sled: false,
        }
    }

    /// The run of a seed with two engines on one store.
    #[must_use]
    pub fn of_two(seed: u64) -> Self {
        Self {
            engines: 2,
            ..Self::of_one(seed)
        }
    }

    /// Runs it, optionally with a planted bug.
    #[must_use]
    pub fn run(&self, bug: Option<Bug>, keeps_lines: bool) -> Outcome {
        let mut trace = Trace::new(keeps_lines);
        let broken = match World::new(self, bug, trace.clone()) {
            Ok(mut world) => {
                let ran = world.run();
                trace = world.trace;
                ran.err()
            }
            Err(broken) => Some(broken),
        };
        Outcome {
            broken,
            hash: trace.hash(),
            lines: trace.lines().to_vec(),
        }
    }

    /// The command that repeats it.
    #[must_use]
    pub fn replay(&self) -> String {
        let engines = match self.engines {
            1 => String::new(),
            engines => format!(" --engines {engines}"),
        };
        let sled = if self.on_sled { " --sled" } else { "" };
        format!("cargo xtask sim --seed {}{engines}{sled}", self.seed)
    }
}
