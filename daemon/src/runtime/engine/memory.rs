//! The engine's cache of incidents, with the revisions that guard their next write. Another engine
//! may write to the same store, so before each group the engine follows the store's feed, and a
//! decision on an outdated state is refused by a guard.

use std::sync::Arc;

use tocsin_core::{IncidentId, Timestamp};
use tocsin_store::{Changed, CommitError, Committed, Feed, Position, StoreError, Table};

use crate::runtime::engine::plan::Planned;
use crate::runtime::engine::{Engine, damaged};
use crate::runtime::error::EngineError;
use crate::runtime::state::tables::incident_key::INCIDENT_KEYS;
use crate::runtime::state::tables::tally::TALLIES;
use crate::runtime::state::tables::{Row, number};
use crate::runtime::state::view::{IncidentState, id_of, load};

/// Commits per read of the feed.
const FEED_COMMITS: usize = 256;

/// An incident in memory.
pub(super) struct Cached {
    pub(super) state: Arc<IncidentState>,
    /// The revision of its tally's row; 0 when there is none.
    tally_revision: u64,
}

impl Engine {
    /// An incident as changed by the group so far, from memory or the store.
    pub(crate) fn load_incident(
        &mut self,
        id: &IncidentId,
    ) -> Result<Option<Arc<IncidentState>>, EngineError> {
        if let Some(cached) = self.incidents.get(id) {
            return Ok(Some(Arc::clone(&cached.state)));
        }
        let Some((state, tally_revision)) = load(self.store.as_ref(), id)? else {
            return Ok(None);
        };
        let cached = Cached {
            state: Arc::clone(&state),
            tally_revision,
        };
        self.incidents.insert(id.clone(), cached);
        Ok(Some(state))
    }

    /// Stores an incident as changed by the current request.
    pub(crate) fn cache_incident(&mut self, id: IncidentId, state: &Arc<IncidentState>) {
        let tally_revision = self.tally_revision(&id);
        let cached = Cached {
            state: Arc::clone(state),
            tally_revision,
        };
        self.incidents.insert(id, cached);
    }

    /// The revision of an incident's tally on which decisions are based.
    pub(crate) fn tally_revision(&self, id: &IncidentId) -> u64 {
        self.incidents.get(id).map_or(0, |it| it.tally_revision)
    }

    /// Loads every incident with a stored key, which are the active ones and those that may reopen.
    pub(super) fn load_active(&mut self) -> Result<(), EngineError> {
        let store = Arc::clone(&self.store);
        INCIDENT_KEYS.for_each(store.as_ref(), |row| {
            if let Some(state) = self.load_incident(&row.incident)? {
                self.view.publish(&state);
            }
            Ok(())
        })
    }

    /// Stores the revisions of a committed batch's rows.
    pub(super) fn note_revisions(&mut self, planned: &Planned, committed: &Committed) {
        let revision = |at: usize| committed.revisions.get(at).copied().unwrap_or(0);
        for (id, at) in &planned.tally_rows {
            if let Some(cached) = self.incidents.get_mut(id) {
                cached.tally_revision = revision(*at);
            }
        }
        if let Some((value, at)) = planned.number_row {
            self.last_number = Row {
                value,
                revision: revision(at),
                expires_at: None,
            };
        }
    }

    /// Updates memory from the store.
    pub(super) fn follow_or_fail(&mut self, now: Timestamp) -> Result<(), StoreError> {
        self.follow().map_err(|error| match error {
            EngineError::Store(error) => error,
            error => damaged(&error),
        })?;
        self.view.has_followed(self.followed, now);
        Ok(())
    }

    /// Skips the engine's own commit in the feed, unless there are commits of other engines too:
    /// then the next read of the feed goes through all of them. `changes`: whether each batch
    /// appears in the feed.
    pub(super) fn pass_own(
        &mut self,
        results: &[Result<Committed, CommitError>],
        changes: Vec<bool>,
    ) -> Result<(), StoreError> {
        let is_seen = results
            .iter()
            .zip(changes)
            .any(|(it, seen)| seen && it.is_ok());
        let own = Position(self.followed.0 + u64::from(is_seen));
        if self.store.feed_position()? == own {
            self.followed = own;
        }
        Ok(())
    }

    fn follow(&mut self) -> Result<(), EngineError> {
        while self.store.feed_position()? != self.followed {
            match self.store.feed(self.followed, FEED_COMMITS)? {
                Feed::Changes(changes) => {
                    for changed in changes {
                        self.apply_change(&changed)?;
                        self.followed = changed.position;
                    }
                }
                Feed::Expired { newest } => {
                    self.incidents.clear();
                    self.view.forget_all();
                    self.leases.mark_stale();
                    self.silences_changed = newest;
                    self.last_number = number::last(self.store.as_ref())?;
                    self.load_active()?;
                    self.followed = newest;
                }
            }
        }
        Ok(())
    }

    /// Applies a change of another engine. This engine's own changes are already in memory.
    fn apply_change(&mut self, changed: &Changed) -> Result<(), EngineError> {
        for (stream, version) in &changed.streams {
            let Some(id) = id_of(stream) else { continue };
            match self.incidents.get(&id) {
                // The engine may have loaded it for a request, and readers not.
                Some(cached) if cached.state.incident.version >= *version => {
                    self.view.publish(&cached.state);
                }
                _ => self.reload(&id)?,
            }
        }
        for (table, key) in &changed.rows {
            match table {
                Table::Tally => {
                    let row = TALLIES.get(self.store.as_ref(), key)?;
                    let id = IncidentId(key.clone());
                    let is_other = match self.incidents.get(&id) {
                        Some(cached) => row.is_none_or(|it| it.revision != cached.tally_revision),
                        // Dropped when a batch of this engine failed, and still in the view.
                        None => self.view.is_in_memory(&id),
                    };
                    if is_other {
                        self.reload(&id)?;
                    }
                }
                Table::Alert => self.leases.mark_stale(),
                Table::Silence => self.silences_changed = changed.position,
                Table::Meta => self.last_number = number::last(self.store.as_ref())?,
                _ => {}
            }
        }
        Ok(())
    }

    fn reload(&mut self, id: &IncidentId) -> Result<(), EngineError> {
        self.incidents.remove(id);
        if let Some(state) = self.load_incident(id)? {
            self.view.publish(&state);
        }
        Ok(())
    }
}
