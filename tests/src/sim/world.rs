//! One simulated run: one or two real engines on a store that fails, with a clock that jumps, and
//! senders, people, policies and external services that misbehave. Everything that happens is
//! derived from the seed.

mod asked;
mod deliveries;
mod nodes;
mod on_call;
mod senders;
mod time;

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use tocsin::runtime::{Subscribers, decode_row};
use tocsin_core::command::Delays;
use tocsin_core::limits::{BUNDLE_WINDOW_MS, CONTACT_WAIT_MS, PERSON_PAGES_MAX};
use tocsin_core::time::MINUTE_MS;
use tocsin_core::{Alert, Timestamp};
use tocsin_plugin_host::Schedule;
use tocsin_store::{Class, Store, Table, TimerKey};

pub(super) use self::nodes::Node;
use super::Simulation;
use super::bug::Bug;
use super::cast::{self, Policies};
use super::check::{self, Fact, text};
use super::disk::Disk;
use super::on_call::{Change, SharedModel};
use super::outside::{Outside, Underway};
use super::rng::Rng;
use super::store::{FaultyStore, Tick, pages};
use super::trace::Trace;

/// The time at which every run begins.
const BEGIN: Timestamp = Timestamp(1_700_000_000_000);
/// Steps of a run until its faults stop.
const STEPS: u64 = 40;
/// The same for two engines, which do twice as much per step.
const STEPS_OF_TWO: u64 = 22;
/// In how many of 100 steps both of two engines follow what the other wrote.
const FOLLOWS_OF_100: u64 = 30;
/// Rounds within which all due work must be finished once the faults have stopped.
const CALM_ROUNDS_MAX: usize = 100;
/// Sweeps at the end; senders interrupt some.
const LAST_SWEEPS: usize = 8;
/// Rows per request.
const LIMIT: usize = 100;

pub(super) const DELAYS: Delays = Delays {
    resolve_after_ms: MINUTE_MS,
    reopen_within_ms: 10 * MINUTE_MS,
    contact_wait_ms: CONTACT_WAIT_MS,
    bundle_window_ms: BUNDLE_WINDOW_MS,
    pages_max: PERSON_PAGES_MAX,
    approach_after_ms: Some(3 * MINUTE_MS),
    suspect_within_ms: 10 * MINUTE_MS,
};

/// A simulated run.
pub(super) struct World {
    rng: Rng,
    now: Timestamp,
    store: Arc<FaultyStore>,
    /// The engines: one, or two that share the store.
    nodes: Vec<Node>,
    subscribers: Arc<ArcSwap<Subscribers>>,
    outside: Outside,
    underway: Vec<Underway>,
    /// Until when a lane is held.
    lanes: BTreeMap<(Class, String), Timestamp>,
    policies: Policies,
    facts: Vec<Fact>,
    /// Who is on call, as was confirmed to people.
    model: SharedModel,
    /// Changes of who is on call of which nobody knows whether they were made.
    doubts: Vec<Change>,
    /// Whether an alert must be firing, according to the answers to its sender.
    alerts: BTreeMap<String, bool>,
    /// The plugins' schedules, by plugin and name.
    schedules: BTreeMap<(String, String), Schedule>,
    /// How often each run of a schedule was queued.
    ticks: BTreeMap<Tick, u32>,
    /// How many pages do not know yet what became of their message, by its timer.
    untold: BTreeMap<TimerKey, usize>,
    bug: Option<Bug>,
    words: u64,
    lives: u64,
    well: bool,
    pub trace: Trace,
}

impl World {
    /// The state at the start of a run.
    ///
    /// # Errors
    /// What is broken at the start.
    pub(super) fn new(
        simulation: &Simulation,
        bug: Option<Bug>,
        trace: Trace,
    ) -> Result<Self, String> {
        let disk = if simulation.on_sled {
            Disk::sled()?
        } else {
            Disk::memory()
        };
        let store = Arc::new(FaultyStore::new(disk, bug, simulation.seed));
        let subscribers = Arc::new(ArcSwap::from_pointee(cast::subscribers(true)));
        let mut world = Self {
            rng: Rng::new(simulation.seed),
            now: BEGIN,
            nodes: Vec::new(),
            store,
            subscribers,
            outside: Outside::default(),
            underway: Vec::new(),
            lanes: BTreeMap::new(),
            policies: Policies {
                misses_a_read: bug == Some(Bug::ReadMissed),
                swallows_triggers: bug == Some(Bug::TriggerSwallowed),
                ..Policies::default()
            },
            facts: Vec::new(),
            model: SharedModel::default(),
            doubts: Vec::new(),
            alerts: BTreeMap::new(),
            schedules: if simulation.engines > 1 {
                cast::schedules()?
            } else {
                BTreeMap::new()
            },
            ticks: BTreeMap::new(),
            untold: BTreeMap::new(),
            bug,
            words: 0,
            lives: 0,
            well: false,
            trace,
        };
        world.start(simulation.engines)?;
        Ok(world)
    }

    /// Runs with faults, and then for a period without faults.
    ///
    /// # Errors
    /// What is broken.
    pub(super) fn run(&mut self) -> Result<(), String> {
        let steps = if self.are_two() { STEPS_OF_TWO } else { STEPS };
        for _ in 0..steps {
            self.step()?;
            self.check()?;
        }
        self.crash("the last crash")?;
        self.calm()?;
        self.follow()?;
        for node in &self.nodes {
            check::whole(&self.store, node, &self.facts)?;
            check::pages_are_out(&self.store, &node.view)?;
            check::verdicts_stand(&node.view, &self.policies)?;
            self.outside.unknown_are_logged(&node.view)?;
        }
        self.arrivals_are_accounted_for()
    }

    fn check(&mut self) -> Result<(), String> {
        // Most of the time, an engine that had nothing to do does not know what the other did.
        let follows = !self.are_two() || self.well || self.rng.chance(FOLLOWS_OF_100);
        if follows {
            self.follow()?;
            if !self.store.take_changed() {
                return Ok(());
            }
            let touched = self.store.take_touched();
            check::step(&self.store, &self.nodes[0], &touched)?;
            if let [one, other] = &self.nodes[..] {
                check::agree(one, other, &touched)?;
            }
        }
        self.schedules_are_kept()?;
        self.alerts_are_kept()
    }

    fn alerts_are_kept(&self) -> Result<(), String> {
        for (key, fires) in &self.alerts {
            let row = self.store.row(Table::Alert, key).map_err(text)?;
            let alert = row.map(|row| decode_row::<Alert>("an alert", &row.value));
            let is = alert.transpose().map_err(text)?.is_some_and(|it| it.firing);
            if is != *fires {
                return Err(format!(
                    "accepted for alert {key}: firing={fires}; stored: {is}"
                ));
            }
        }
        Ok(())
    }

    fn step(&mut self) -> Result<(), String> {
        match self.rng.below(100) {
            0..38 => self.speak(),
            38..58 => self.deliver(),
            58..72 => self.fire(),
            72..84 => self.pass_time(),
            84..88 => self.sweep(),
            88..91 => self.expire(),
            91..94 => self.change_the_world(),
            94..97 => self.storm(),
            _ if self.are_two() && self.rng.chance(50) => self.restart_one(),
            _ => self.crash("a crash"),
        }
    }

    /// Loses everything in memory, but nothing that was committed.
    fn crash(&mut self, why: &str) -> Result<(), String> {
        self.lives += 1;
        self.trace.say(|| why.to_owned());
        for underway in std::mem::take(&mut self.underway) {
            self.outside.excuse(&underway.pages);
        }
        self.lanes.clear();
        self.count_ticks();
        let engines = self.nodes.len();
        self.nodes.clear();
        let (left, bug_turns) = self.store.crash()?;
        if self.bug == Some(Bug::OverrideForgotten) {
            pages::forget_an_override(left.store())?;
        }
        self.store = Arc::new(FaultyStore::new(left, self.bug, bug_turns));
        self.start(engines)?;
        self.settle_doubts()?;
        for node in &self.nodes {
            check::whole(&self.store, node, &self.facts)?;
        }
        Ok(())
    }

    /// Stops the faults and new requests: all due work must finish.
    fn calm(&mut self) -> Result<(), String> {
        self.well = true;
        self.trace.say(|| "the faults stop".to_owned());
        self.end_waits()?;
        for _ in 0..CALM_ROUNDS_MAX {
            self.fire()?;
            let latest = self.bring_all()?;
            self.check()?;
            match latest {
                Some(latest) => self.now = self.now.max(latest),
                // What became of the last messages is told.
                None if !self.store.timers_due(self.now, 1).map_err(text)?.is_empty() => {}
                // A review may page somebody.
                None if self.review_by_others()? || self.review_the_rest()? => {}
                None => return Ok(()),
            }
        }
        Err("deliveries do not finish although the faults have stopped".to_owned())
    }

    /// Lets the sweep end every wait of an alert for others.
    fn end_waits(&mut self) -> Result<(), String> {
        self.now = self.now.plus_ms(cast::WAIT_WINDOW_MS);
        for _ in 0..LAST_SWEEPS {
            self.sweep()?;
        }
        self.follow()?;
        check::waits_end(&self.store, &self.nodes[0].view, self.now)
    }

    fn count_ticks(&mut self) {
        for tick in self.store.take_ticks() {
            *self.ticks.entry(tick).or_default() += 1;
        }
    }

    fn schedules_are_kept(&mut self) -> Result<(), String> {
        self.count_ticks();
        if let Some(((plugin, name, due), count)) = self.ticks.iter().find(|(_, it)| **it > 1) {
            return Err(format!(
                "schedule {plugin}/{name} of {due} fired {count} times"
            ));
        }
        check::schedules_have_timers(&self.store, self.schedules.keys())
    }

    fn arrivals_are_accounted_for(&self) -> Result<(), String> {
        for (page, count) in &self.outside.arrived {
            let excused = self.outside.excused.get(page).copied().unwrap_or(0);
            if *count > 1 + excused {
                return Err(format!(
                    "{page:?} arrived {count} times, {excused} of them with unknown outcome"
                ));
            }
        }
        Ok(())
    }
}
