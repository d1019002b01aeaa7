//! The engine, which makes all changes of state. It processes requests in groups: the core decides
//! each request, the whole group is committed with one flush, and only then are the requests
//! answered and the changes published. It is synchronous and has no clock, so that the writer
//! thread, scenarios and the simulator run the same code.

mod changes;
pub mod handle;
pub mod layout;
mod memory;
mod page_tests;
mod pager;
pub mod plan;
pub mod request;
mod scratch;
mod silencing;
pub mod writer;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arc_swap::ArcSwap;
use tocsin_core::command::{Channels, Delays, Env};
use tocsin_core::incident::keys_of;
use tocsin_core::intake::NewIncidentId;
use tocsin_core::{IncidentId, Timestamp};
use tocsin_store::{
    Batch, CommitError, Committed, PACKS_MAX, Position, RowChange, Store, StoreError, Table,
};

use crate::runtime::delivery::Subscribers;
use crate::runtime::engine::memory::Cached;
use crate::runtime::engine::plan::Planned;
use crate::runtime::engine::request::{Answer, Done, Request};
use crate::runtime::engine::scratch::Scratch;
use crate::runtime::error::EngineError;
use crate::runtime::state::leases::Leases;
use crate::runtime::state::tables::incident_key::INCIDENT_KEYS;
use crate::runtime::state::tables::tally::TALLIES;
use crate::runtime::state::tables::{Row, number};
use crate::runtime::state::view::{IncidentState, View, pack_of};

pub(crate) use pager::queued;
pub use pager::{PAGER_TIMER, is_wanted, person_of};

/// How often the requests of a group are decided: once, and twice more after conflicts.
const ROUNDS_MAX: usize = 3;
/// Most expired rows that one request removes.
const EXPIRE_ROWS_MAX: usize = 500;
/// Most incidents that one request retires: alerts wait while their streams are packed.
const RETIRED_MAX: usize = 32;

pub type MakeId = Box<dyn FnMut(Timestamp) -> IncidentId + Send>;

/// Makes all changes of state.
pub struct Engine {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) view: Arc<View>,
    subscribers: Arc<ArcSwap<Subscribers>>,
    /// The subscribers when the group began, so that decisions and deliveries use the same ones.
    pub(crate) subscribed: Arc<Subscribers>,
    channels: Channels,
    delays: Delays,
    incidents: HashMap<IncidentId, Cached>,
    pub(crate) scratch: Scratch,
    pub(crate) leases: Arc<Leases>,
    /// The last number in the store.
    pub(crate) last_number: Row<u64>,
    /// The position in the store's feed up to which memory is current.
    followed: Position,
    /// Where in the feed a silence was last set, changed or forgotten.
    pub(crate) silences_changed: Position,
    wakes: bool,
    has_written: bool,
    make_id: MakeId,
}

impl Engine {
    /// An engine on a store: incident numbers continue, and all active incidents are loaded.
    ///
    /// # Errors
    /// [`EngineError`] when the store cannot be read or is damaged.
    pub fn start(
        store: Arc<dyn Store>,
        subscribers: Arc<ArcSwap<Subscribers>>,
        delays: Delays,
        make_id: MakeId,
    ) -> Result<Self, EngineError> {
        // Before anything is read, so that nothing is missed.
        let followed = store.feed_position()?;
        let subscribed = subscribers.load_full();
        let mut engine = Self {
            view: Arc::new(View::new(Arc::clone(&store))),
            leases: Arc::new(Leases::load(store.as_ref())?),
            last_number: number::last(store.as_ref())?,
            followed,
            silences_changed: Position(0),
            store,
            subscribers,
            channels: subscribed.channels(),
            subscribed,
            delays,
            incidents: HashMap::new(),
            scratch: Scratch::default(),
            wakes: false,
            has_written: false,
            make_id,
        };
        engine.load_active()?;
        Ok(engine)
    }

    /// What readers see.
    #[must_use]
    pub fn view(&self) -> Arc<View> {
        Arc::clone(&self.view)
    }

    /// When firing alerts expire, and which alerts are silenced or resolved.
    #[must_use]
    pub fn leases(&self) -> Arc<Leases> {
        Arc::clone(&self.leases)
    }

    /// Carries out a group of requests in order with one flush, and answers each. A successful
    /// answer means that the change is durable.
    ///
    /// # Errors
    /// [`StoreError`] when the store failed: it is unknown what of the group is durable, and the
    /// daemon must stop.
    pub fn process(
        &mut self,
        group: Vec<Request>,
        now: Timestamp,
    ) -> Result<Vec<Result<Answer, EngineError>>, StoreError> {
        self.follow_subscribers();
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
            self.follow_or_fail(now)?;
            open = self.round(open, round == ROUNDS_MAX, now, &mut answers)?;
            if open.is_empty() {
                break;
            }
        }
        for (at, request) in claims {
            answers[at] = Some(Ok(self.claim(&request, now)?));
        }
        // What another engine or an expiry has written in the meantime is in the feed too. The
        // answers are durable whether or not it can be read; if it cannot, the next group fails.
        if let Err(error) = self.follow_or_fail(now) {
            tracing::error!(%error, "changes in the store could not be read");
        }
        Ok(answers
            .into_iter()
            .map(|it| it.unwrap_or(Err(EngineError::Overloaded)))
            .collect())
    }

    /// Whether the groups since the last call may have made something due. Most alerts of a storm
    /// do not, and must not make the loop read the store for each group.
    pub fn take_wake(&mut self) -> bool {
        std::mem::take(&mut self.wakes)
    }

    /// Whether anything was committed since the last call.
    #[must_use]
    pub fn take_written(&mut self) -> bool {
        std::mem::take(&mut self.has_written)
    }

    /// The core's input besides the state.
    pub(crate) fn env(&self, now: Timestamp) -> Env<'_> {
        Env {
            now,
            delays: &self.delays,
            channels: &self.channels,
        }
    }

    fn follow_subscribers(&mut self) {
        let subscribed = self.subscribers.load_full();
        if !Arc::ptr_eq(&subscribed, &self.subscribed) {
            self.channels = subscribed.channels();
            self.subscribed = subscribed;
        }
    }

    /// The ID and the number for an incident that may open.
    pub(crate) fn new_id(&mut self, now: Timestamp) -> NewIncidentId {
        NewIncidentId {
            id: (self.make_id)(now),
            number: self.next_number(),
        }
    }

    /// One round: decides the requests, commits their batches, and returns the requests whose
    /// batches conflicted.
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
            // An answer that depends on earlier batches of the group waits for them even if it
            // writes nothing: "already resolved" must not be sent if the resolve fails.
            let needs = self.scratch.needs();
            if planned.is_nothing() && needs.is_empty() {
                answers[at] = Some(planned.answer());
                continue;
            }
            let mut batch = std::mem::take(&mut planned.batch);
            batch.needs = needs;
            self.scratch.guard_reads(&mut batch);
            // Settling a claim frees its lane for the next delivery, and so does a cancel.
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
        let changes = batches.iter().map(Batch::changes_feed).collect();
        let is_silence = |it: &RowChange| it.table == Table::Silence;
        let has_silences = batches.iter().any(|it| it.rows.iter().any(is_silence));
        let results = self.store.commit(batches)?;
        self.has_written = true;
        self.pass_own(&results, changes)?;
        if has_silences {
            self.silences_changed = self.followed;
        }
        match self.settle_round(waiting, results, is_last, answers) {
            Err(EngineError::Store(error)) => Err(error),
            Err(error) => Err(damaged(&error)),
            Ok(again) => Ok(again),
        }
    }

    fn settle_round(
        &mut self,
        waiting: Vec<(usize, Request, Planned)>,
        results: Vec<Result<Committed, CommitError>>,
        is_last: bool,
        answers: &mut [Option<Result<Answer, EngineError>>],
    ) -> Result<Vec<(usize, Request)>, EngineError> {
        let mut again = Vec::new();
        let mut failed: HashSet<IncidentId> = HashSet::new();
        let mut shown: Vec<Planned> = Vec::new();
        for ((at, request, mut planned), result) in waiting.into_iter().zip(results) {
            match result {
                Ok(committed) => {
                    self.note_revisions(&planned, &committed);
                    planned.done.revisions = committed.revisions;
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
            if planned.number_row.is_some() {
                self.last_number = number::last(self.store.as_ref())?;
            }
            failed.extend(planned.incidents.iter().map(|it| it.incident.id.clone()));
        }
        for id in &failed {
            self.incidents.remove(id);
        }
        for planned in shown {
            self.show(planned, &failed)?;
        }
        Ok(again)
    }

    /// Publishes what is now durable. An incident that a failed batch of the group also changed is
    /// reloaded from the store.
    fn show(&mut self, planned: Planned, failed: &HashSet<IncidentId>) -> Result<(), EngineError> {
        for (before, after) in planned.alerts {
            self.leases.replace(before.as_deref(), &after);
        }
        for state in planned.incidents {
            let id = &state.incident.id;
            if !failed.contains(id) {
                self.view.publish(&state);
            } else if let Some(durable) = self.load_incident(id)? {
                self.view.publish(&durable);
            }
        }
        Ok(())
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

    /// Retires incidents that are over and can no longer reopen: removes their keys and tallies,
    /// drops them from memory and packs their streams, so that these do not grow forever.
    fn retire(&mut self, now: Timestamp) -> Result<usize, StoreError> {
        let reopen_within_ms = self.delays.reopen_within_ms;
        let is_over = |it: &&Arc<IncidentState>| {
            let (incident, tally) = it.parts();
            incident.is_over(tally, now, reopen_within_ms)
        };
        let over: Vec<_> = self
            .incidents
            .values()
            .map(|it| &it.state)
            .filter(is_over)
            .take(RETIRED_MAX)
            .cloned()
            .collect();
        if over.is_empty() {
            return Ok(0);
        }
        let mut retired = 0;
        let parts: Vec<_> = over.chunks(PACKS_MAX).collect();
        let batches: Vec<_> = parts.iter().map(|part| self.retiring(part)).collect();
        let changes = batches.iter().map(Batch::changes_feed).collect();
        let results = self.store.commit(batches)?;
        self.has_written = true;
        self.pass_own(&results, changes)?;
        for (part, result) in parts.into_iter().zip(results) {
            if let Err(error) = result {
                tracing::warn!(%error, "incidents that are over stay in memory for now");
                continue;
            }
            for state in part {
                self.incidents.remove(&state.incident.id);
                self.view.forget(&state.incident.id);
            }
            retired += part.len();
        }
        Ok(retired)
    }

    fn retiring(&self, over: &[Arc<IncidentState>]) -> Batch {
        let mut batch = Batch::default();
        for state in over {
            let incident = &state.incident;
            for key in keys_of(incident) {
                if let Ok(Some(row)) = INCIDENT_KEYS.get(self.store.as_ref(), key.as_str())
                    && row.value.incident == incident.id
                {
                    let removal = INCIDENT_KEYS.remove(key.as_str()).if_at(row.revision);
                    removal.lay_out(&mut batch);
                }
            }
            if state.tally.counts == incident.counts && state.tally.counts.firing == 0 {
                let revision = self.tally_revision(&incident.id);
                let removal = TALLIES.remove(incident.id.as_str()).if_at(revision);
                removal.lay_out(&mut batch);
            }
            batch.packs.push(pack_of(incident));
        }
        batch
    }
}

/// The error on which the writer stops when memory cannot be updated from the store.
fn damaged(error: &EngineError) -> StoreError {
    StoreError::Io {
        action: "reading back what was written".to_owned(),
        reason: error.to_string(),
    }
}

#[cfg(test)]
mod tests;
