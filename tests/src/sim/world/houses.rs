//! The engines of a night: one, or two that work on one store without knowing of each other.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tocsin::runtime::engine::Engine;
use tocsin::runtime::{Answer, EngineError, Leases, Request, View, arming, schedule_timer};
use tocsin_core::{IncidentId, Timestamp};
use tocsin_store::{Store, StoreError};

use super::{DELAYS, World};
use crate::sim::check::text;
use crate::sim::store::Beside;

/// What an engine answers a group of requests.
pub(super) type Answers = Result<Vec<Result<Answer, EngineError>>, StoreError>;

/// An engine with what readers see of it.
#[derive(Clone)]
pub(in crate::sim) struct House {
    engine: Arc<Mutex<Engine>>,
    pub(in crate::sim) view: Arc<View>,
    /// Its index of leases.
    pub(in crate::sim) leases: Arc<Leases>,
}

impl House {
    /// Asks its engine.
    pub(super) fn process(&self, requests: Vec<Request>, now: Timestamp) -> Answers {
        self.engine().process(requests, now)
    }

    /// Brings what readers see to what the store holds, as the daemon does within a second.
    pub(super) fn follow(&self, now: Timestamp) -> Result<(), String> {
        self.process(Vec::new(), now).map_err(text)?;
        self.leases.refresh(self.view.store()).map_err(text)
    }

    fn engine(&self) -> MutexGuard<'_, Engine> {
        self.engine.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl World {
    /// Starts engines on the store, and sets the timers of schedules that have none.
    pub(super) fn start(&mut self, engines: usize) -> Result<(), String> {
        self.houses = (0..engines)
            .map(|place| self.build(place))
            .collect::<Result<_, _>>()?;
        self.arm_schedules()
    }

    /// One engine's process ends and starts again while the other goes on. Of what it was
    /// delivering nobody hears any more.
    pub(super) fn restart_one(&mut self) -> Result<(), String> {
        let place = self.draw_house();
        self.lives += 1;
        self.trace.say(|| format!("engine {place} starts again"));
        let underway = std::mem::take(&mut self.underway).into_iter();
        let (lost, left): (Vec<_>, Vec<_>) = underway.partition(|it| it.house == place);
        self.underway = left;
        for underway in lost {
            self.outside.excuse(underway.page.as_ref());
        }
        self.houses[place] = self.build(place)?;
        Ok(())
    }

    /// Whether two engines work on the store.
    pub(super) fn are_two(&self) -> bool {
        self.houses.len() > 1
    }

    /// Which engine does the next thing; nothing is drawn when there is one.
    pub(super) fn draw_house(&mut self) -> usize {
        let last = self.houses.len() - 1;
        match last {
            0 => 0,
            _ => usize::from(self.rng.chance(50)),
        }
    }

    /// Where there are two engines, both come to know what the other wrote.
    pub(super) fn follow(&self) -> Result<(), String> {
        match self.are_two() {
            true => self.houses.iter().try_for_each(|it| it.follow(self.now)),
            false => Ok(()),
        }
    }

    /// Asks one engine, and the other between the reads and the commit of the first one's
    /// decision.
    pub(super) fn ask_both(
        &self,
        first: usize,
        requests: Vec<Request>,
        others: Vec<Request>,
    ) -> (Answers, Answers) {
        let (now, other) = (self.now, self.houses[1 - first].clone());
        let heard = Arc::new(Mutex::new(None));
        let before: Beside = {
            let heard = Arc::clone(&heard);
            Box::new(move || {
                let answers = other.process(others, now);
                *heard.lock().unwrap_or_else(PoisonError::into_inner) = Some(answers);
            })
        };
        // A sweep of either process may read the leases again at any time.
        let (houses, store) = (self.houses.clone(), Arc::clone(&self.store));
        let after: Beside = Box::new(move || {
            for house in houses {
                let _poisoned = house.leases.refresh(store.as_ref());
            }
        });
        self.store.interleave(before, after);
        let answers = self.houses[first].process(requests, now);
        if let Some(before) = self.store.take_beside() {
            before();
        }
        let heard = heard.lock().unwrap_or_else(PoisonError::into_inner).take();
        (answers, heard.unwrap_or_else(|| Ok(Vec::new())))
    }

    fn build(&self, place: usize) -> Result<House, String> {
        let (life, mut made) = (self.lives, 0);
        let make_id = move |_now| {
            made += 1;
            let house = ["", "b"][place];
            IncidentId(format!("i{life}{house}-{made}"))
        };
        let store = Arc::clone(&self.store) as Arc<dyn Store>;
        let subscribers = Arc::clone(&self.subscribers);
        let engine = Engine::start(store, subscribers, DELAYS, Box::new(make_id)).map_err(text)?;
        Ok(House {
            view: engine.view(),
            leases: engine.leases(),
            engine: Arc::new(Mutex::new(engine)),
        })
    }

    /// Sets the timers of schedules that have none, as the daemon does at its start.
    fn arm_schedules(&mut self) -> Result<(), String> {
        let mut wanted = Vec::new();
        for ((plugin, name), schedule) in &self.schedules {
            let plugin = plugin.as_str().into();
            let first = schedule_timer(plugin, name.clone(), schedule, self.now);
            wanted.extend(first.map_err(text)?);
        }
        if let Some(request) = arming(self.store.as_ref(), wanted).map_err(text)? {
            let place = self.draw_house();
            let answers = self.houses[place].process(vec![request], self.now);
            answers.map_err(text)?;
        }
        Ok(())
    }
}
