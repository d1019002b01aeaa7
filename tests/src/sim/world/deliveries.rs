//! Deliveries: claimed, brought, settled.

use tocsin::runtime::{Answer, Request, settlement};
use tocsin_core::Timestamp;
use tocsin_store::{Class, Store};

use super::asked::{Asked, Then};
use super::{CALM_ROUNDS_MAX, LIMIT, World};
use crate::sim::check::text;
use crate::sim::outside::Underway;

/// How long a claim holds its lane, in milliseconds.
const LEASE_MS: u64 = 120_000;

impl World {
    /// Ends deliveries that are under way, and begins new ones.
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
            // A delivery that is told to come again keeps its excuse; any other must be settled.
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
        let Ok(mut answers) = self.engine.process(vec![request], self.now) else {
            return self.crash("the store failed under a claim");
        };
        let Some(Ok(Answer::Claimed(claimed))) = answers.pop() else {
            return Err("a claim was not answered".to_owned());
        };
        for claim in claimed {
            let key = &claim.token.key;
            self.trace
                .say(|| format!("claimed {}#{} {}", key.lane, key.seq, claim.row.attempts));
            let until = self.now.plus_ms(LEASE_MS);
            self.lanes.insert((class, key.lane.clone()), until);
            let (view, well) = (self.engine.view(), self.well);
            let underway = self.outside.bring(claim, &view, &mut self.rng, well);
            self.underway.push(underway);
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

    /// Lanes with a row that is ready.
    fn ready(&self, class: Class) -> Result<Vec<String>, String> {
        let rows = self.store.outbox(class, None, 10 * LIMIT).map_err(text)?;
        let ready = rows.into_iter().filter(|row| row.not_before <= self.now);
        Ok(ready.map(|row| row.key.lane).collect())
    }

    /// Brings out all that is ready, and says until when the rest waits.
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
        Err("what is ready is not brought out".to_owned())
    }
}
