//! The engine: the one place that changes state. It takes requests in groups, lets the core
//! decide each, commits the whole group with one flush, and only then answers and shows what
//! came of it. It is synchronous and has no clock, so that the writer thread, a scenario and the
//! simulator drive the very same code.

pub mod handle;
pub mod layout;
pub mod plan;
pub mod request;
pub mod writer;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arc_swap::ArcSwap;
use tocsin_core::command::Delays;
use tocsin_core::intake::NewIncidentId;
use tocsin_core::{IncidentId, Timestamp};
use tocsin_store::{Batch, CommitError, Committed, PACKS_MAX, Store, StoreError};

use crate::runtime::delivery::Subscribers;
use crate::runtime::engine::plan::{Planned, Scratch};
use crate::runtime::engine::request::{Answer, Done, EngineError, Request};
use crate::runtime::state::leases::Leases;
use crate::runtime::state::tables::incident_key::INCIDENT_KEYS;
use crate::runtime::state::tables::number;
use crate::runtime::state::tables::tally::TALLIES;
use crate::runtime::state::view::{IncidentState, View, load, pack_of};

/// Rounds in which a group's conflicts are decided anew: once and twice more.
const ROUNDS_MAX: usize = 3;
/// Rows that one request to expire forgets at most.
const EXPIRE_ROWS_MAX: usize = 500;
/// Incidents that one request to expire lets go of at most: alerts wait while it packs them.
const RETIRED_MAX: usize = 32;

/// Makes ids of incidents.
pub type MakeId = Box<dyn FnMut(Timestamp) -> IncidentId + Send>;

/// The one place that changes state.
pub struct Engine {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) view: Arc<View>,
    pub(crate) subscribers: Arc<ArcSwap<Subscribers>>,
    pub(crate) delays: Delays,
    pub(crate) incidents: HashMap<IncidentId, Arc<IncidentState>>,
    pub(crate) scratch: Scratch,
    pub(crate) leases: Arc<Leases>,
    pub(crate) next_number: u64,
    wakes: bool,
    has_written: bool,
    make_id: MakeId,
}

impl Engine {
    /// An engine on what its store holds: numbers go on where they stood, and every incident
    /// that is active comes into memory.
    ///
    /// # Errors
    /// [`EngineError`] when the store cannot be read or holds something damaged.
    pub fn start(
        store: Arc<dyn Store>,
        subscribers: Arc<ArcSwap<Subscribers>>,
        delays: Delays,
        make_id: MakeId,
    ) -> Result<Self, EngineError> {
        let last_number = number::last(store.as_ref())?.value;
        let mut engine = Self {
            view: Arc::new(View::new(Arc::clone(&store))),
            leases: Arc::new(Leases::load(store.as_ref())?),
            next_number: last_number + 1,
            store,
            subscribers,
            delays,
            incidents: HashMap::new(),
            scratch: Scratch::default(),
            wakes: false,
            has_written: false,
            make_id,
        };
        engine.hold_all()?;
        Ok(engine)
    }

    /// What readers see.
    #[must_use]
    pub fn view(&self) -> Arc<View> {
        Arc::clone(&self.view)
    }

    /// When alerts end by themselves, and which are silenced or ended.
    #[must_use]
    pub fn leases(&self) -> Arc<Leases> {
        Arc::clone(&self.leases)
    }

    /// Carries out a group of requests, in order, with one flush, and answers each. What is
    /// answered as done is durable.
    ///
    /// # Errors
    /// [`StoreError`] when the store failed: nothing of the group may be taken as done, and
    /// the daemon must stop.
    pub fn process(
        &mut self,
        group: Vec<Request>,
        now: Timestamp,
    ) -> Result<Vec<Result<Answer, EngineError>>, StoreError> {
        let mut answers: Vec<Option<Result<Answer, EngineError>>> = Vec::new();
        answers.resize_with(group.len(), || None);
        let mut open: Vec<(usize, Request)> = Vec::new();
        let mut claims: Vec<(usize, Request)> = Vec::new();
        for (at, request) in group.into_iter().enumerate() {
            match request {
                Request::Claim { .. } | Request::Expire => claims.push((at, request)),
                other => open.push((at, other)),
            }
        }
        for round in 1..=ROUNDS_MAX {
            open = self.round(open, round == ROUNDS_MAX, now, &mut answers)?;
            if open.is_empty() {
                break;
            }
        }
        for (at, request) in claims {
            answers[at] = Some(Ok(self.claim(&request, now)?));
        }
        Ok(answers
            .into_iter()
            .map(|it| it.unwrap_or(Err(EngineError::Overloaded)))
            .collect())
    }

    /// Whether something may have become due through the groups since this was last asked: most
    /// alerts of a storm bring nothing, and must not have the loop read the store for each group.
    pub fn take_wake(&mut self) -> bool {
        std::mem::take(&mut self.wakes)
    }

    /// Whether anything was committed since it was asked last.
    #[must_use]
    pub fn take_written(&mut self) -> bool {
        std::mem::take(&mut self.has_written)
    }

    /// An incident as the group has left it so far.
    pub(crate) fn hold(
        &mut self,
        id: &IncidentId,
    ) -> Result<Option<Arc<IncidentState>>, EngineError> {
        if let Some(incidents) = self.incidents.get(id) {
            return Ok(Some(Arc::clone(incidents)));
        }
        let incidents = load(self.store.as_ref(), id)?;
        if let Some(incidents) = &incidents {
            self.incidents.insert(id.clone(), Arc::clone(incidents));
        }
        Ok(incidents)
    }

    /// An id and a number for an incident that may open.
    pub(crate) fn new_id(&mut self, now: Timestamp) -> NewIncidentId {
        NewIncidentId {
            id: (self.make_id)(now),
            number: self.next_number,
        }
    }

    /// One round: decides the requests, commits what they come to, and gives back those whose
    /// batches met a conflict.
    fn round(
        &mut self,
        requests: Vec<(usize, Request)>,
        is_last: bool,
        now: Timestamp,
        answers: &mut [Option<Result<Answer, EngineError>>],
    ) -> Result<Vec<(usize, Request)>, StoreError> {
        self.scratch = Scratch::default();
        let mut batches: Vec<Batch> = Vec::new();
        let mut waiting: Vec<(usize, Request, Planned)> = Vec::new();
        for (at, request) in requests {
            self.scratch.begin(batches.len());
            let mut planned = match self.plan(&request, now) {
                Ok(planned) => planned,
                Err(EngineError::Store(error)) => return Err(error),
                Err(error) => Planned::refused(error),
            };
            // An answer that rests on what is not yet durable waits for it, also when there is
            // nothing more to write: "resolved already" must not outlive the resolve.
            let needs = self.scratch.needs();
            if planned.is_nothing() && needs.is_empty() {
                answers[at] = Some(planned.answer());
                continue;
            }
            let mut batch = std::mem::take(&mut planned.batch);
            batch.needs = needs;
            // A claim that is settled frees its lane for the next delivery, as does a cancel.
            self.wakes |= batch.settles.is_some()
                || !batch.outbox_cancel.is_empty()
                || !batch.outbox.is_empty()
                || !batch.timers_set.is_empty();
            batches.push(batch);
            waiting.push((at, request, planned));
        }
        if batches.is_empty() {
            return Ok(Vec::new());
        }
        let results = self.store.commit(batches)?;
        self.has_written = true;
        Ok(self.settle_round(waiting, results, is_last, answers))
    }

    fn settle_round(
        &mut self,
        waiting: Vec<(usize, Request, Planned)>,
        results: Vec<Result<Committed, CommitError>>,
        is_last: bool,
        answers: &mut [Option<Result<Answer, EngineError>>],
    ) -> Vec<(usize, Request)> {
        let mut again = Vec::new();
        let mut failed: HashSet<IncidentId> = HashSet::new();
        let mut shown: Vec<Planned> = Vec::new();
        for ((at, request, mut planned), result) in waiting.into_iter().zip(results) {
            match result {
                Ok(_) => {
                    answers[at] = Some(planned.answer());
                    shown.push(planned);
                    continue;
                }
                Err(CommitError::Duplicate(answer)) => {
                    let done = Done {
                        repeated: Some(answer),
                        ..Done::default()
                    };
                    answers[at] = Some(Ok(Answer::Done(done)));
                }
                Err(CommitError::Conflict { .. } | CommitError::Skipped) if !is_last => {
                    again.push((at, request));
                }
                Err(error) => answers[at] = Some(Err(error.into())),
            }
            failed.extend(
                planned
                    .incidents
                    .iter()
                    .map(|incidents| incidents.incident.id.clone()),
            );
        }
        for planned in shown {
            self.show(planned, &failed);
        }
        for id in failed {
            self.incidents.remove(&id);
        }
        again
    }

    /// Shows readers what is now durable. An incident that a failed batch of the same group had
    /// changed too is shown as the store has it.
    fn show(&mut self, planned: Planned, failed: &HashSet<IncidentId>) {
        for (before, after) in planned.alerts {
            self.leases.replace(before.as_deref(), &after);
        }
        for incidents in planned.incidents {
            let id = incidents.incident.id.clone();
            if !failed.contains(&id) {
                self.view.publish(&incidents);
            } else if let Ok(Some(durable)) = load(self.store.as_ref(), &id) {
                self.view.publish(&durable);
            }
        }
    }

    fn claim(&mut self, request: &Request, now: Timestamp) -> Result<Answer, StoreError> {
        match request {
            Request::Claim {
                class,
                limit,
                lease_ms,
            } => Ok(Answer::Claimed(
                self.store.claim(*class, now, *limit, *lease_ms)?,
            )),
            _ => {
                let retired = self.retire(now)?;
                let expired = self.store.expire(now, EXPIRE_ROWS_MAX)?;
                Ok(Answer::Expired(retired + expired))
            }
        }
    }

    /// Lets go of incidents that are over and can no longer come back: their keys' rows, their
    /// tallies and their place in memory, and their streams are packed. Otherwise all of it would
    /// grow with every incident that ever was.
    fn retire(&mut self, now: Timestamp) -> Result<usize, StoreError> {
        let is_over = |incidents: &&Arc<IncidentState>| {
            let incident = &incidents.incident;
            let since = incident
                .lifecycle
                .resolved_at
                .map_or(u64::MAX, |at| now.since(at));
            !incident.is_active() && since >= self.delays.reopen_within_ms
        };
        let over: Vec<_> = self
            .incidents
            .values()
            .filter(is_over)
            .take(RETIRED_MAX)
            .cloned()
            .collect();
        if over.is_empty() {
            return Ok(0);
        }
        let mut retired = 0;
        let parts: Vec<_> = over.chunks(PACKS_MAX).collect();
        let batches = parts.iter().map(|part| self.retiring(part)).collect();
        let results = self.store.commit(batches)?;
        self.has_written = true;
        for (part, result) in parts.into_iter().zip(results) {
            if let Err(error) = result {
                tracing::warn!(%error, "incidents that are over stay in memory for now");
                continue;
            }
            for incidents in part {
                self.incidents.remove(&incidents.incident.id);
                self.view.forget(&incidents.incident.id);
            }
            retired += part.len();
        }
        Ok(retired)
    }

    fn retiring(&self, over: &[Arc<IncidentState>]) -> Batch {
        let mut batch = Batch::default();
        for incidents in over {
            let incident = &incidents.incident;
            let row =
                crate::runtime::state::view::key_row(self.store.as_ref(), &incident.about.key);
            if row.is_ok_and(|id| id.as_ref() == Some(&incident.id)) {
                INCIDENT_KEYS
                    .remove(incident.about.key.as_str())
                    .lay_out(&mut batch);
            }
            if incidents.tally.counts == incident.counts && incidents.tally.counts.firing == 0 {
                TALLIES.remove(incident.id.as_str()).lay_out(&mut batch);
            }
            batch.packs.push(pack_of(incident));
        }
        batch
    }

    /// Every incident whose key is kept is active, or may reopen: those come into memory.
    fn hold_all(&mut self) -> Result<(), EngineError> {
        let store = Arc::clone(&self.store);
        INCIDENT_KEYS.for_each(store.as_ref(), |row| {
            if let Some(state) = self.hold(&row.incident)? {
                self.view.publish(&state);
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests;
