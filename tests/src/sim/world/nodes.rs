//! The engines of a run: one, or two that share one store and have no other connection.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tocsin::runtime::engine::Engine;
use tocsin::runtime::{
    Answer, EngineError, Leases, OnCall, Request, Silences, View, arming, schedule_timer,
};
use tocsin_core::{IncidentId, Timestamp};
use tocsin_store::{Store, StoreError};

use super::{DELAYS, World};
use crate::sim::cast;
use crate::sim::check::text;
use crate::sim::on_call::Desk;
use crate::sim::store::Beside;

/// An engine's answers to a group of requests.
pub(super) type Answers = Result<Vec<Result<Answer, EngineError>>, StoreError>;

/// An engine with its view, leases and silences, and with who is on call.
#[derive(Clone)]
pub(in crate::sim) struct Node {
    engine: Arc<Mutex<Engine>>,
    pub(in crate::sim) view: Arc<View>,
    pub(in crate::sim) leases: Arc<Leases>,
    pub(super) silences: Arc<Silences>,
    pub(in crate::sim) desk: Desk,
}

impl Node {
    /// Sends requests to its engine.
    pub(super) fn process(&self, requests: Vec<Request>, now: Timestamp) -> Answers {
        self.engine().process(requests, now)
    }

    /// Updates the view from the store's feed, as the daemon does within a second.
    pub(super) fn follow(&self, now: Timestamp) -> Result<(), String> {
        self.process(Vec::new(), now).map_err(text)?;
        self.leases.refresh(self.view.store()).map_err(text)
    }

    fn engine(&self) -> MutexGuard<'_, Engine> {
        self.engine.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl World {
    /// Starts engines on the store, and sets missing timers of schedules.
    pub(super) fn start(&mut self, engines: usize) -> Result<(), String> {
        self.nodes = (0..engines)
            .map(|place| self.build(place))
            .collect::<Result<_, _>>()?;
        self.arm_schedules()
    }

    /// Restarts one engine's process while the other continues. The outcomes of its deliveries in
    /// progress are lost.
    pub(super) fn restart_one(&mut self) -> Result<(), String> {
        let place = self.draw_node();
        self.lives += 1;
        self.trace.say(|| format!("engine {place} restarts"));
        let underway = std::mem::take(&mut self.underway).into_iter();
        let (lost, left): (Vec<_>, Vec<_>) = underway.partition(|it| it.node == place);
        self.underway = left;
        for underway in lost {
            self.outside.excuse(&underway.pages);
        }
        self.nodes[place] = self.build(place)?;
        Ok(())
    }

    /// Whether there are two engines.
    pub(super) fn are_two(&self) -> bool {
        self.nodes.len() > 1
    }

    /// The engine for the next step; draws no random number if there is only one.
    pub(super) fn draw_node(&mut self) -> usize {
        let last = self.nodes.len() - 1;
        match last {
            0 => 0,
            _ => usize::from(self.rng.chance(50)),
        }
    }

    /// With two engines, lets both read what the other wrote.
    pub(super) fn follow(&self) -> Result<(), String> {
        match self.are_two() {
            true => self.nodes.iter().try_for_each(|it| it.follow(self.now)),
            false => Ok(()),
        }
    }

    /// Sends requests to one engine, and to the other between the reads and the commit of the first
    /// one's decision.
    pub(super) fn ask_both(
        &self,
        first: usize,
        requests: Vec<Request>,
        others: Vec<Request>,
    ) -> (Answers, Answers) {
        let (now, other) = (self.now, self.nodes[1 - first].clone());
        let second = Arc::new(Mutex::new(None));
        let before: Beside = {
            let second = Arc::clone(&second);
            Box::new(move || {
                let answers = other.process(others, now);
                *second.lock().unwrap_or_else(PoisonError::into_inner) = Some(answers);
            })
        };
        // A sweep of either process may reload the leases at any time.
        let (nodes, store) = (self.nodes.clone(), Arc::clone(&self.store));
        let after: Beside = Box::new(move || {
            for node in nodes {
                let _poisoned = node.leases.refresh(store.as_ref());
            }
        });
        self.store.interleave(before, after);
        let answers = self.nodes[first].process(requests, now);
        if let Some(before) = self.store.take_beside() {
            before();
        }
        let second = second.lock().unwrap_or_else(PoisonError::into_inner).take();
        (answers, second.unwrap_or_else(|| Ok(Vec::new())))
    }

    fn build(&self, place: usize) -> Result<Node, String> {
        let (life, mut made) = (self.lives, 0);
        let make_id = move |_now| {
            made += 1;
            let node = ["", "b"][place];
            IncidentId(format!("i{life}{node}-{made}"))
        };
        let store = Arc::clone(&self.store) as Arc<dyn Store>;
        let subscribers = Arc::clone(&self.subscribers);
        let silences = Arc::new(Silences::load(Arc::clone(&store)).map_err(text)?);
        let config = cast::config()?;
        let roster = Arc::new(cast::roster(&config));
        let on_call = OnCall::load(Arc::clone(&store), roster, &config).map_err(text)?;
        let engine = Engine::start(store, subscribers, DELAYS, Box::new(make_id)).map_err(text)?;
        Ok(Node {
            view: engine.view(),
            leases: engine.leases(),
            silences,
            desk: Desk {
                on_call: Arc::new(on_call),
                model: self.model.clone(),
            },
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
            let place = self.draw_node();
            if !self.are_two() {
                let answers = self.nodes[place].process(vec![request], self.now);
                return answers.map(drop).map_err(text);
            }
            // Both have seen that timers are missing.
            let (one, other) = self.ask_both(place, vec![request.clone()], vec![request]);
            one.and(other).map_err(text)?;
        }
        Ok(())
    }
}
