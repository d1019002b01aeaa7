//! Has incidents reviewed, and alerts outside of incidents routed again, for what has no timer:
//! other policies are in force, or something around has changed, such as who is on call.

use std::sync::Arc;

use parking_lot::Mutex;
use tocsin_core::command::Command;
use tocsin_core::standing::{depends_on_surroundings, needs_review};
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
/// Most alerts outside of incidents that one sweep looks at.
const KEPT_OUT_MAX: usize = 1_000;
/// Shortest time between two looks at the surroundings of an incident or an alert, in milliseconds.
const SURROUNDINGS_EVERY_MS: u64 = MINUTE_MS;

/// How far the look at surroundings has come, in the order of these keys.
#[derive(Debug)]
pub(super) struct Round<K>(Mutex<Progress<K>>);

#[derive(Debug)]
struct Progress<K> {
    began: Option<Timestamp>,
    /// The last one that was looked at; `None` between two rounds.
    after: Option<K>,
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
        let needing = chosen(&|it| needs_review(&it.incident, &it.tally, &in_force, now));
        let watching = chosen(&|it| depends_on_surroundings(&it.incident, &it.tally));
        let mut due = self.incidents.next(SURROUNDINGS_MAX, now, |after| {
            let rest = watching.into_iter();
            let rest = rest.filter(|it| after.is_none_or(|after| it > after));
            rest.take(SURROUNDINGS_MAX).collect()
        });
        due.extend(needing.into_iter().take(BY_OTHER_POLICIES_MAX));
        let mut count = 0;
        for id in due {
            match self.review_now(id.clone(), &in_force, now).await {
                Err(error @ (EngineError::Store(_) | EngineError::Stopping)) => return Err(error),
                // It must not keep the others from being reviewed.
                Err(error) => tracing::error!(%error, incident = %id, "a review failed"),
                Ok(is_changed) => count += usize::from(is_changed),
            }
        }
        Ok(count)
    }

    /// Reassesses alerts that the routing policy kept out of incidents and no longer does, or for
    /// other reasons; nothing is written for the others.
    pub(super) async fn route_others_again(
        self: &Arc<Self>,
        now: Timestamp,
    ) -> Result<usize, EngineError> {
        let keys = self.kept_out.next(KEPT_OUT_MAX, now, |after| {
            let after = after.map_or("", String::as_str);
            self.leases.kept_out(after, KEPT_OUT_MAX)
        });
        if keys.is_empty() {
            return Ok(0);
        }
        let moved = self.intake.routed_otherwise(keys, now).await?;
        self.reassess(moved).await
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
            !needs_review(&it.incident, &it.tally, in_force, now)
                && review.is_as_before(&it.incident, &it.tally, now)
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

impl<K: Clone> Round<K> {
    /// The ones that are looked at now: of those after the last one, a page of at most `most`.
    fn next(&self, most: usize, now: Timestamp, page: impl FnOnce(Option<&K>) -> Vec<K>) -> Vec<K> {
        let mut progress = self.0.lock();
        let after = progress.after.take();
        if after.is_none() {
            let is_due = |at: Timestamp| at.plus_ms(SURROUNDINGS_EVERY_MS) <= now || now < at;
            if !progress.began.is_none_or(is_due) {
                return Vec::new();
            }
            progress.began = Some(now);
        }
        let found = page(after.as_ref());
        if found.len() >= most {
            progress.after = found.last().cloned();
        }
        found
    }
}

impl<K> Default for Round<K> {
    fn default() -> Self {
        Self(Mutex::new(Progress {
            began: None,
            after: None,
        }))
    }
}
