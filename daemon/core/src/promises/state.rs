//! The updates that audiences were promised, folded from an incident's events.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::event::{Event, Recorded};
use crate::promises::audience::Audience;
use crate::promises::promise::{Promise, PromiseCounts, PromiseOutcome, PromiseStage};

/// The updates that audiences were promised and have not got yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promises {
    /// The promise to each audience.
    pub open: BTreeMap<Audience, Promise>,
    /// What became of those that were made before.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settled: BTreeMap<Audience, PromiseCounts>,
}

impl Promises {
    pub(crate) fn fold(&mut self, recorded: &Recorded) {
        match &recorded.event {
            Event::UpdatePosted {
                audience, next_at, ..
            } => {
                self.open.remove(audience);
                let promise = next_at.map(|due| Promise {
                    made_at: recorded.at,
                    due,
                    stage: PromiseStage::Made,
                });
                self.open.extend(promise.map(|it| (*audience, it)));
            }
            Event::PromiseTakenOver { audience, promise } => {
                self.open.insert(*audience, *promise);
            }
            Event::UpdateAwaited { audience, stage } => {
                let promise = self.open.get_mut(audience);
                promise.into_iter().for_each(|it| it.stage = *stage);
            }
            Event::PromiseSettled {
                audience, outcome, ..
            } => {
                self.settled.entry(*audience).or_default().count(*outcome);
                let promise = self.open.get_mut(audience);
                let broken = promise.filter(|_| *outcome == PromiseOutcome::Broken);
                broken
                    .into_iter()
                    .for_each(|it| it.stage = PromiseStage::Broken);
            }
            // Nobody speaks for it any more.
            Event::Closed {} | Event::Merged { .. } => self.open.clear(),
            _ => {}
        }
    }
}
