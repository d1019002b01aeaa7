//! Has incidents reviewed for what has no timer: other policies are in force, or something around
//! an incident has changed, such as who is on call.

use std::sync::Arc;

use parking_lot::Mutex;
use tocsin_core::command::Command;
use tocsin_core::standing::{depends_on_surroundings, is_by_other_policies};
use tocsin_core::time::MINUTE_MS;
use tocsin_core::{Actor, IncidentId, Timestamp};

use crate::runtime::due::Due;
use crate::runtime::engine::request::{Cause, Request};
use crate::runtime::error::EngineError;
use crate::runtime::state::view::IncidentState;

/// Most incidents that one sweep has reviewed because other policies are in force. With a sweep
/// every five seconds, a reload costs ten reviews a second until all are done.
const BY_OTHER_POLICIES_MAX: usize = 50;
/// Most incidents whose surroundings one sweep looks at.
const SURROUNDINGS_MAX: usize = 200;
/// Shortest time between two looks at an incident's surroundings, in milliseconds.
const SURROUNDINGS_EVERY_MS: u64 = MINUTE_MS;

/// How far the look at surroundings has come.
#[derive(Debug, Default)]
pub(super) struct Round(Mutex<Progress>);

#[derive(Debug, Default)]
struct Progress {
    began: Option<Timestamp>,
    /// The last incident that was looked at; `None` between two rounds.
    after: Option<IncidentId>,
}

impl Due {
    /// Reviews incidents that are due without a timer; returns how many were changed.
    pub(super) async fn review_some(
        self: &Arc<Self>,
        now: Timestamp,
    ) -> Result<usize, EngineError> {
        let in_force = self.intake.policies_in_force();
        let mut states = self.view.in_memory();
        states.sort_by(|a, b| a.incident.id.cmp(&b.incident.id));
        let chosen = |wants: &dyn Fn(&IncidentState) -> bool| -> Vec<IncidentId> {
            let wanted = states.iter().filter(|it| wants(it));
            wanted.map(|it| it.incident.id.clone()).collect()
        };
        let by_others = chosen(&|it| is_by_other_policies(&it.incident, &it.tally, &in_force));
        let watching = chosen(&|it| depends_on_surroundings(&it.incident, &it.tally));
        let mut due = self.round.next(watching, now);
        due.extend(by_others.into_iter().take(BY_OTHER_POLICIES_MAX));
        let mut count = 0;
        for id in due {
            count += usize::from(self.review_now(id, &in_force, now).await?);
        }
        Ok(count)
    }

    /// Reviews an incident; nothing is written if nothing is different.
    async fn review_now(
        self: &Arc<Self>,
        incident: IncidentId,
        in_force: &str,
        now: Timestamp,
    ) -> Result<bool, EngineError> {
        let Some(review) = self.intake.review(incident.clone(), now).await? else {
            return Ok(false);
        };
        let state = self.view.incident(&incident)?;
        let is_as_before = |it: &IncidentState| {
            !is_by_other_policies(&it.incident, &it.tally, in_force)
                && review.is_as_before(&it.incident, &it.tally)
        };
        if state.is_none_or(|it| is_as_before(&it)) {
            return Ok(false);
        }
        let request = Request::Command {
            incident,
            by: Actor::Tocsin,
            command: Command::Review(Box::new(review)),
            cause: Cause::default(),
        };
        match self.writer.ask(request).await {
            Ok(_) => Ok(true),
            // It has changed meanwhile; the next sweep looks again.
            Err(EngineError::Refused(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

impl Round {
    /// Which of these incidents, in order, are looked at now.
    fn next(&self, mut ids: Vec<IncidentId>, now: Timestamp) -> Vec<IncidentId> {
        let mut progress = self.0.lock();
        match progress.after.take() {
            Some(after) => ids.retain(|it| *it > after),
            None => {
                let is_due = |at: Timestamp| at.plus_ms(SURROUNDINGS_EVERY_MS) <= now || now < at;
                if !progress.began.is_none_or(is_due) {
                    return Vec::new();
                }
                progress.began = Some(now);
            }
        }
        if ids.len() > SURROUNDINGS_MAX {
            ids.truncate(SURROUNDINGS_MAX);
            progress.after = ids.last().cloned();
        }
        ids
    }
}
