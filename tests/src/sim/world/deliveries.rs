//! Claims, makes and settles deliveries.

use tocsin::runtime::{Answer, Request, settlement};
use tocsin_core::Timestamp;
use tocsin_store::{Claimed, Class, Store};

use super::asked::{Asked, Then};
use super::{CALM_ROUNDS_MAX, LIMIT, World};
use crate::sim::check::text;
use crate::sim::outside::{Underway, left_out};

/// How long a claim holds its lane, in milliseconds.
const LEASE_MS: u64 = 120_000;

impl World {
    /// Ends deliveries in progress, and begins new ones.
    pub(super) fn deliver(&mut self) -> Result<(), String> {
        let mut over = Vec::new();
        for mut underway in std::mem::take(&mut self.underway) {
            match underway.steps.checked_sub(1) {
                Some(left) => {
                    underway.steps = left;
                    self.underway.push(underway);
                }
                None => over.push(underway),
            }
        }
        self.settle(over)?;
        for class in Class::ALL {
            self.claim(class)?;
        }
        Ok(())
    }

    fn settle(&mut self, over: Vec<Underway>) -> Result<(), String> {
        let mut asked = Vec::new();
        for mut underway in over {
            let Some(ended) = underway.ended.take() else {
                continue;
            };
            // A delivery that is to be retried keeps its excuse; any other must be settled.
            let (now, jitter) = (self.now, self.rng.unit());
            let request = settlement(&underway.claim, ended, now, jitter).request;
            let then = Then::Settled(Box::new(underway));
            asked.push(Asked { request, then });
        }
        if !self.well && self.rng.chance(30) {
            asked.push(self.utter());
        }
        self.process(asked)
    }

    fn claim(&mut self, class: Class) -> Result<(), String> {
        let request = Request::Claim {
            class,
            limit: LIMIT,
            lease_ms: LEASE_MS,
        };
        let ready = self.ready(class)?;
        self.arm();
        let place = self.draw_node();
        let claims_both = self.are_two() && self.rng.chance(30);
        let places = [Some(place), claims_both.then_some(1 - place)];
        for place in places.into_iter().flatten() {
            let answers = self.nodes[place].process(vec![request.clone()], self.now);
            let Ok(mut answers) = answers else {
                return self.crash("the store failed under a claim");
            };
            let Some(Ok(Answer::Claimed(claimed))) = answers.pop() else {
                return Err("a claim got no answer".to_owned());
            };
            if !self.bring(claimed, place)? {
                return Ok(());
            }
        }
        let state = |lane: &String| {
            let until = self.lanes.get(&(class, lane.clone()));
            until.is_some_and(|until| *until > self.now)
        };
        match ready.iter().find(|lane| !state(lane)) {
            Some(lane) => Err(format!("{class:?} lane {lane} is due and passed over")),
            None => Ok(()),
        }
    }

    /// Whether all of them went out; otherwise the engine crashed.
    fn bring(&mut self, claimed: Vec<Claimed>, place: usize) -> Result<bool, String> {
        for claim in &claimed {
            let key = &claim.token.key;
            self.trace
                .say(|| format!("claimed {}#{} {}", key.lane, key.seq, claim.row.attempts));
            let until = self.now.plus_ms(LEASE_MS);
            let lane = (key.class, key.lane.clone());
            if let Some(held) = self.lanes.insert(lane, until)
                && held > self.now
            {
                return Err(format!("lane {} is claimed twice at once", key.lane));
            }
        }
        for claim in claimed {
            if let Some(request) = left_out(&self.nodes[place].view, &claim, self.now) {
                let answers = self.nodes[place].process(vec![request], self.now);
                if answers.is_err() {
                    self.crash("the store failed before a message went out")?;
                    return Ok(false);
                }
            }
            let (view, well) = (&self.nodes[place].view, self.well);
            let mut underway = self.outside.bring(claim, view, &mut self.rng, well);
            underway.node = place;
            self.underway.push(underway);
        }
        Ok(true)
    }

    /// Lanes with a row that is ready.
    fn ready(&self, class: Class) -> Result<Vec<String>, String> {
        let rows = self.store.outbox(class, None, 10 * LIMIT).map_err(text)?;
        let ready = rows.into_iter().filter(|row| row.not_before <= self.now);
        Ok(ready.map(|row| row.key.lane).collect())
    }

    /// Makes all ready deliveries; returns when the next one is ready.
    pub(super) fn bring_all(&mut self) -> Result<Option<Timestamp>, String> {
        for _ in 0..CALM_ROUNDS_MAX {
            self.deliver()?;
            let mut rows = Vec::new();
            for class in Class::ALL {
                rows.extend(self.store.outbox(class, None, 10 * LIMIT).map_err(text)?);
            }
            let is_ready = rows.iter().any(|row| row.not_before <= self.now);
            if !is_ready && self.underway.is_empty() {
                return Ok(rows.into_iter().map(|row| row.not_before).max());
            }
        }
        Err("ready deliveries remain".to_owned())
    }
}
