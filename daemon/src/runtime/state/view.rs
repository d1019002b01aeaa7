//! The durable state of incidents, for readers. The engine works on its own copy and publishes an
//! incident here once its batch is on disk, so that no answer is based on state that a power cut
//! could undo.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use tocsin_core::alert::{Alert, Tally};
use tocsin_core::incident::Incident;
use tocsin_core::time::SECOND_MS;
use tocsin_core::{IncidentId, IncidentKey, Recorded, Signal, Timestamp};
use tocsin_store::encoding::decode;
use tocsin_store::{Pack, Position, Store, StreamId};

use crate::runtime::error::EngineError;
use crate::runtime::state::tables::alert::ALERTS;
use crate::runtime::state::tables::incident_key::INCIDENT_KEYS;
use crate::runtime::state::tables::tally::{TALLIES, tally_from_stream};
use crate::runtime::state::tables::{number, summary};

/// Prefix of the names of incident streams.
const STREAM_PREFIX: &str = "incident/";
/// Events per read of a stream.
const STREAM_PAGE_EVENTS: usize = 512;
/// Most incidents that one was merged into in turn; after that, routing places its alerts.
const MERGES_IN_TURN_MAX: usize = 32;
/// How far what policies are asked about may be behind the store, in milliseconds.
const BEHIND_MS_MAX: u64 = SECOND_MS;

/// An incident with the tallies of its alerts.
#[derive(Clone, Debug, PartialEq)]
pub struct IncidentState {
    pub incident: Arc<Incident>,
    pub tally: Tally,
}

impl IncidentState {
    /// The incident and its tallies, as the core's functions need them.
    #[must_use]
    pub fn parts(&self) -> (&Incident, &Tally) {
        (&self.incident, &self.tally)
    }
}

/// The durable state of incidents.
pub struct View {
    pub(crate) store: Arc<dyn Store>,
    incidents: RwLock<HashMap<IncidentId, Arc<IncidentState>>>,
    /// Where in the store's feed the incidents in memory are, and when the engine last saw that
    /// nothing is newer.
    followed: Mutex<(Position, Timestamp)>,
}

/// Incidents as policies are asked about them: from memory, unless memory is more than a second
/// behind what another engine may have written.
pub struct Snapshot<'a> {
    view: &'a View,
    is_behind: bool,
    position: Position,
}

impl View {
    /// A view of a store; incidents are published by the engine.
    #[must_use]
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            incidents: RwLock::new(HashMap::new()),
            followed: Mutex::new((Position(0), Timestamp(0))),
        }
    }

    /// # Errors
    /// [`EngineError`] when the store cannot be read.
    pub fn snapshot(&self, now: Timestamp) -> Result<Snapshot<'_>, EngineError> {
        let (position, seen_at) = *self.followed.lock();
        let newest = self.store.feed_position()?;
        let is_recent = seen_at <= now && now.since(seen_at) <= BEHIND_MS_MAX;
        let is_behind = position != newest && !is_recent;
        Ok(Snapshot {
            view: self,
            is_behind,
            position: if is_behind { newest } else { position },
        })
    }

    /// Whether the store has something newer than what is in memory.
    ///
    /// # Errors
    /// [`EngineError`] when the store cannot be read.
    pub(crate) fn is_outdated(&self) -> Result<bool, EngineError> {
        Ok(self.store.feed_position()? != self.followed.lock().0)
    }

    /// An incident, from memory or from its stream.
    ///
    /// # Errors
    /// [`EngineError`] when the store fails or the stream is damaged.
    pub fn incident(&self, id: &IncidentId) -> Result<Option<Arc<IncidentState>>, EngineError> {
        if let Some(state) = self.incidents.read().get(id) {
            return Ok(Some(Arc::clone(state)));
        }
        Ok(load(self.store.as_ref(), id)?.map(|(state, _)| state))
    }

    /// The incident with a number.
    ///
    /// # Errors
    /// [`EngineError`] when the store fails or the row is damaged.
    pub fn incident_of_number(
        &self,
        number: u64,
    ) -> Result<Option<Arc<IncidentState>>, EngineError> {
        match summary::of_number(self.store.as_ref(), number)? {
            Some(summary) => self.incident(summary.id()),
            None => Ok(None),
        }
    }

    /// The number of the last incident that opened; 0 if none ever did.
    ///
    /// # Errors
    /// [`EngineError`] when the store fails.
    pub fn last_number(&self) -> Result<u64, EngineError> {
        Ok(number::last(self.store.as_ref())?.value)
    }

    /// An alert.
    ///
    /// # Errors
    /// [`EngineError`] when the store fails or the row is damaged.
    pub fn alert(&self, key: &str) -> Result<Option<Alert>, EngineError> {
        alert_row(self.store.as_ref(), key)
    }

    /// The store, for lists.
    #[must_use]
    pub fn store(&self) -> &dyn Store {
        self.store.as_ref()
    }

    /// The store, for reads on another thread.
    #[must_use]
    pub fn shared_store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store)
    }

    /// How many incidents are in memory.
    #[must_use]
    pub fn in_memory_count(&self) -> usize {
        self.incidents.read().len()
    }

    /// Every incident in memory: all active ones and some that are over.
    #[must_use]
    pub fn in_memory(&self) -> Vec<Arc<IncidentState>> {
        self.incidents.read().values().cloned().collect()
    }

    /// Whether an incident is active that alerts with this key join, as far as is in memory.
    ///
    /// # Errors
    /// [`EngineError`] when the store fails or the row is damaged.
    pub fn is_open(&self, key: &IncidentKey) -> Result<bool, EngineError> {
        let Some(id) = key_row(self.store(), key)? else {
            return Ok(false);
        };
        let incidents = self.incidents.read();
        Ok(incidents
            .get(&id)
            .is_some_and(|it| it.incident.takes_alerts()))
    }

    pub(crate) fn is_in_memory(&self, id: &IncidentId) -> bool {
        self.incidents.read().contains_key(id)
    }

    pub(crate) fn publish(&self, state: &Arc<IncidentState>) {
        self.incidents
            .write()
            .insert(state.incident.id.clone(), Arc::clone(state));
    }

    /// Records the position in the store's feed that the incidents have reached, and that nothing
    /// was newer at `now`.
    pub(crate) fn has_followed(&self, position: Position, now: Timestamp) {
        *self.followed.lock() = (position, now);
    }

    /// Removes every incident from memory.
    pub(crate) fn forget_all(&self) {
        self.incidents.write().clear();
    }

    pub(crate) fn forget(&self, id: &IncidentId) {
        self.incidents.write().remove(id);
    }
}

impl Snapshot<'_> {
    /// The incident that goes on with a merged one.
    ///
    /// # Errors
    /// [`EngineError`] when the store fails or a stream is damaged.
    pub fn heir(
        &self,
        home: Option<&IncidentState>,
    ) -> Result<Option<Arc<IncidentState>>, EngineError> {
        let id = home.map(|it| heir_of(it, |id| self.incident(id)));
        match id.transpose()?.flatten() {
            Some(id) => self.incident(&id),
            None => Ok(None),
        }
    }

    /// A position of the store's feed that what is read here is not older than.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    /// An incident.
    ///
    /// # Errors
    /// [`EngineError`] when the store fails or the stream is damaged.
    pub fn incident(&self, id: &IncidentId) -> Result<Option<Arc<IncidentState>>, EngineError> {
        match self.is_behind {
            true => Ok(load(self.view.store(), id)?.map(|(state, _)| state)),
            false => self.view.incident(id),
        }
    }

    /// The incident that is open, or may reopen, under a key.
    ///
    /// # Errors
    /// [`EngineError`] when the store fails or the row is damaged.
    pub fn incident_of_key(
        &self,
        key: &IncidentKey,
    ) -> Result<Option<Arc<IncidentState>>, EngineError> {
        let Some(id) = key_row(self.view.store(), key)? else {
            return Ok(None);
        };
        let found = self.incident(&id)?;
        match found.as_ref().map(|it| &it.incident) {
            Some(it) if it.has_borrowed(key) => {
                let holder = key_row(self.view.store(), &it.about.key)?;
                Ok(found.filter(|_| holder == Some(id)))
            }
            _ => Ok(found),
        }
    }

    /// The alert that a signal speaks of, and the incident that it is in.
    ///
    /// # Errors
    /// [`EngineError`] when the store fails or a row is damaged.
    pub fn alert_and_home(
        &self,
        signal: &Signal,
    ) -> Result<(Option<Alert>, Option<Arc<IncidentState>>), EngineError> {
        let key = Alert::row_key(&signal.integration, &signal.fingerprint);
        let alert = self.view.alert(&key)?;
        let home = match alert.as_ref().and_then(Alert::incident) {
            Some(id) => self.incident(id)?,
            None => None,
        };
        Ok((alert, home))
    }
}

/// The incident that goes on with a merged one: that which it was merged into, or the last that it
/// was merged into in turn. That an incident was merged never changes.
pub(crate) fn heir_of(
    merged: &IncidentState,
    mut load: impl FnMut(&IncidentId) -> Result<Option<Arc<IncidentState>>, EngineError>,
) -> Result<Option<IncidentId>, EngineError> {
    let into = |it: &IncidentState| it.incident.lifecycle.merged_into.clone();
    let Some(mut heir) = into(merged) else {
        return Ok(None);
    };
    for _ in 0..MERGES_IN_TURN_MAX {
        match load(&heir.id)?.as_deref().map(into) {
            Some(Some(next)) => heir = next,
            Some(None) => return Ok(Some(heir.id)),
            None => break,
        }
    }
    Ok(None)
}

#[must_use]
pub fn stream_of(id: &IncidentId) -> StreamId {
    StreamId(format!("{STREAM_PREFIX}{id}"))
}

/// The incident of a stream, if it is an incident's stream.
pub(crate) fn id_of(stream: &StreamId) -> Option<IncidentId> {
    stream.0.strip_prefix(STREAM_PREFIX).map(IncidentId::from)
}

/// All events of an incident, in order.
///
/// # Errors
/// [`EngineError`] when the store fails or an event cannot be decoded.
pub fn events_of(store: &dyn Store, id: &IncidentId) -> Result<Vec<Recorded>, EngineError> {
    events_between(store, id, 0, u64::MAX)
}

/// The events of an incident after version `after`, up to and including version `until`.
///
/// # Errors
/// [`EngineError`] when the store fails or an event cannot be decoded.
pub fn events_between(
    store: &dyn Store,
    id: &IncidentId,
    mut after: u64,
    until: u64,
) -> Result<Vec<Recorded>, EngineError> {
    let stream = stream_of(id);
    let mut events = Vec::new();
    loop {
        let wanted = usize::try_from(until.saturating_sub(after)).unwrap_or(usize::MAX);
        let limit = wanted.min(STREAM_PAGE_EVENTS);
        let page = store.read_stream(&stream, after, limit)?;
        let is_last = page.len() < limit || limit == wanted;
        for stored in page {
            after = stored.version;
            let event = decode(&stored.event).map_err(|error| {
                EngineError::Damaged(format!(
                    "event {} of incident {id}: {error}",
                    stored.version
                ))
            })?;
            events.push(event);
        }
        if is_last {
            return Ok(events);
        }
    }
}

/// Loads an incident from the store, with the revision of its tally's row. The tally is read first:
/// if both change in between, a decision on the older tally is refused by its guard.
pub(crate) fn load(
    store: &dyn Store,
    id: &IncidentId,
) -> Result<Option<(Arc<IncidentState>, u64)>, EngineError> {
    let row = TALLIES.get(store, id.as_str())?;
    let events = events_of(store, id)?;
    if events.is_empty() {
        return Ok(None);
    }
    let incident =
        Incident::replay(id, &events).map_err(|error| EngineError::Damaged(error.to_string()))?;
    let (tally, revision) = match row {
        Some(row) => (row.value, row.revision),
        None => (tally_from_stream(&incident), 0),
    };
    let state = IncidentState {
        incident: Arc::new(incident),
        tally,
    };
    Ok(Some((Arc::new(state), revision)))
}

/// Packs an incident's stream into few values.
pub(crate) fn pack_of(incident: &Incident) -> Pack {
    Pack {
        stream: stream_of(&incident.id),
        expected: incident.version,
    }
}

/// The incident of a key, if it is active or may reopen.
pub(crate) fn key_row(
    store: &dyn Store,
    key: &IncidentKey,
) -> Result<Option<IncidentId>, EngineError> {
    let row = INCIDENT_KEYS.get(store, key.as_str())?;
    Ok(row.map(|row| row.value.incident))
}

pub(crate) fn alert_row(store: &dyn Store, key: &str) -> Result<Option<Alert>, EngineError> {
    Ok(ALERTS.get(store, key)?.map(|row| row.value))
}
