//! Incidents as readers see them: what is durable, and nothing else. The engine works on its
//! own copy and puts an incident here once its batch is on the disk, so that nobody is answered
//! from something that a power cut could take back.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use parking_lot::RwLock;
use tocsin_core::alert::{Alert, KeyRow, Tally};
use tocsin_core::incident::Incident;
use tocsin_core::{IncidentId, IncidentKey, Recorded};
use tocsin_store::encoding::decode;
use tocsin_store::{Pack, Store, StreamId, Table};

use crate::runtime::engine::NUMBER_ROW;
use crate::runtime::engine::request::EngineError;
use crate::runtime::state::tables::summary::Summary;

/// Rows that one read of a table brings.
const PAGE_ROWS: usize = 512;
/// Events that one read of a stream brings.
const STREAM_PAGE_EVENTS: usize = 512;

/// An incident with the tallies of its alerts.
#[derive(Clone, Debug, PartialEq)]
pub struct IncidentState {
    /// The incident.
    pub incident: Arc<Incident>,
    /// Its tallies.
    pub tally: Tally,
}

/// What readers see.
pub struct View {
    pub(crate) store: Arc<dyn Store>,
    incidents: RwLock<HashMap<IncidentId, Arc<IncidentState>>>,
}

impl View {
    /// A view of a store; incidents come into memory as they are asked for.
    #[must_use]
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self {
            store,
            incidents: RwLock::new(HashMap::new()),
        }
    }

    /// An incident, from memory or from its stream.
    ///
    /// # Errors
    /// [`EngineError`] when the store fails or the stream is damaged.
    pub fn incident(&self, id: &IncidentId) -> Result<Option<Arc<IncidentState>>, EngineError> {
        if let Some(state) = self.incidents.read().get(id) {
            return Ok(Some(Arc::clone(state)));
        }
        load(self.store.as_ref(), id)
    }

    /// The incident that is open, or may reopen, under a key.
    ///
    /// # Errors
    /// [`EngineError`] when the store fails or the row is damaged.
    pub fn incident_of_key(
        &self,
        key: &IncidentKey,
    ) -> Result<Option<Arc<IncidentState>>, EngineError> {
        match key_row(self.store.as_ref(), key)? {
            Some(id) => self.incident(&id),
            None => Ok(None),
        }
    }

    /// The incident with a number.
    ///
    /// # Errors
    /// [`EngineError`] when the store fails or the row is damaged.
    pub fn incident_of_number(
        &self,
        number: u64,
    ) -> Result<Option<Arc<IncidentState>>, EngineError> {
        match self.store.row(Table::Summary, &Summary::row_key(number))? {
            Some(row) => self.incident(&Summary::from_row(&row.value)?.id),
            None => Ok(None),
        }
    }

    /// The number of the incident that opened last; 0 when none ever did.
    ///
    /// # Errors
    /// [`EngineError`] when the store fails.
    pub fn last_number(&self) -> Result<u64, EngineError> {
        let row = self.store.row(Table::Meta, NUMBER_ROW)?;
        Ok(row.and_then(|row| row.value.as_u64()).unwrap_or(0))
    }

    /// An alert.
    ///
    /// # Errors
    /// [`EngineError`] when the store fails or the row is damaged.
    pub fn alert(&self, key: &str) -> Result<Option<Alert>, EngineError> {
        alert_row(self.store.as_ref(), key)
    }

    /// The store behind it, for lists.
    #[must_use]
    pub fn store(&self) -> &dyn Store {
        self.store.as_ref()
    }

    /// The store behind it, for reads on another thread.
    #[must_use]
    pub fn shared_store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store)
    }

    /// How many incidents are in memory.
    #[must_use]
    pub fn in_memory_count(&self) -> usize {
        self.incidents.read().len()
    }

    /// Every incident in memory: all that are active, and some that were.
    #[must_use]
    pub fn in_memory(&self) -> Vec<Arc<IncidentState>> {
        self.incidents.read().values().cloned().collect()
    }

    pub(crate) fn publish(&self, state: &Arc<IncidentState>) {
        self.incidents
            .write()
            .insert(state.incident.id.clone(), Arc::clone(state));
    }

    pub(crate) fn forget(&self, id: &IncidentId) {
        self.incidents.write().remove(id);
    }
}

/// The stream of an incident.
#[must_use]
pub fn stream_of(id: &IncidentId) -> StreamId {
    StreamId(format!("incident/{id}"))
}

/// The events of an incident, all of them in order.
///
/// # Errors
/// [`EngineError`] when the store fails or an event cannot be decoded.
pub fn events_of(store: &dyn Store, id: &IncidentId) -> Result<Vec<Recorded>, EngineError> {
    let stream = stream_of(id);
    let mut events = Vec::new();
    loop {
        let after = u64::try_from(events.len()).unwrap_or(u64::MAX);
        let page = store.read_stream(&stream, after, STREAM_PAGE_EVENTS)?;
        let is_last = page.len() < STREAM_PAGE_EVENTS;
        for stored in page {
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

pub(crate) fn load(
    store: &dyn Store,
    id: &IncidentId,
) -> Result<Option<Arc<IncidentState>>, EngineError> {
    let events = events_of(store, id)?;
    if events.is_empty() {
        return Ok(None);
    }
    let incident =
        Incident::replay(id, &events).map_err(|error| EngineError::Damaged(error.to_string()))?;
    let tally = tally_of(store, &incident)?;
    Ok(Some(Arc::new(IncidentState {
        incident: Arc::new(incident),
        tally,
    })))
}

/// The tally of an incident. One that was let go of has no row any more: its stream got the same
/// counts last.
///
/// # Errors
/// [`EngineError`] when the store fails or the row is damaged.
pub fn tally_of(store: &dyn Store, incident: &Incident) -> Result<Tally, EngineError> {
    match store.row(Table::Tally, incident.id.as_str())? {
        Some(row) => decode_row("the tally of an incident", &row.value),
        None => Ok(Tally {
            counts: incident.counts,
            logged: incident.counts,
            ..Tally::default()
        }),
    }
}

/// An incident's stream, to be kept in few values.
pub(crate) fn pack_of(incident: &Incident) -> Pack {
    Pack {
        stream: stream_of(&incident.id),
        expected: incident.version,
    }
}

pub(crate) fn key_row(
    store: &dyn Store,
    key: &IncidentKey,
) -> Result<Option<IncidentId>, EngineError> {
    let row = store.row(Table::Key, key.as_str())?;
    let row = row.map(|row| decode_row::<KeyRow>("the row of an incident's key", &row.value));
    Ok(row.transpose()?.map(|row| row.incident))
}

pub(crate) fn alert_row(store: &dyn Store, key: &str) -> Result<Option<Alert>, EngineError> {
    let row = store.row(Table::Alert, key)?;
    row.map(|row| decode_row("the row of an alert", &row.value))
        .transpose()
}

/// A row's value as a type.
///
/// # Errors
/// [`EngineError::Damaged`] naming what it was to be.
pub fn decode_row<T: serde::de::DeserializeOwned>(
    what: &str,
    value: &serde_json::Value,
) -> Result<T, EngineError> {
    T::deserialize(value)
        .map_err(|error| EngineError::Damaged(format!("{what} cannot be decoded: {error}")))
}

/// Gives every row of a table to `take`, as a type, in the order of keys; `what` names a row's
/// content. Nothing but one page of rows is in memory at a time.
///
/// # Errors
/// [`EngineError`] when the store fails, a row is damaged, and whatever `take` answers.
pub fn for_each_row<T: serde::de::DeserializeOwned>(
    store: &dyn Store,
    table: Table,
    what: &str,
    mut take: impl FnMut(T) -> Result<(), EngineError>,
) -> Result<(), EngineError> {
    let stopped = for_each_row_after(store, table, what, None, |_, row| {
        take(row).map(|()| ControlFlow::<()>::Continue(()))
    });
    stopped.map(|_| ())
}

/// Like [`for_each_row`], with the rows' keys, after one of them, and only until `take` breaks;
/// answers the key that it broke at.
///
/// # Errors
/// [`EngineError`] when the store fails, a row is damaged, and whatever `take` answers.
pub fn for_each_row_after<T: serde::de::DeserializeOwned>(
    store: &dyn Store,
    table: Table,
    what: &str,
    mut after: Option<String>,
    mut take: impl FnMut(&str, T) -> Result<ControlFlow<()>, EngineError>,
) -> Result<Option<String>, EngineError> {
    loop {
        let page = store.rows(table, "", after.as_deref(), PAGE_ROWS)?;
        let is_last = page.len() < PAGE_ROWS;
        for (key, row) in page {
            let row = decode_row(&format!("the row of {what}"), &row.value)?;
            let goes_on = take(&key, row)?.is_continue();
            after = Some(key);
            if !goes_on {
                return Ok(after);
            }
        }
        if is_last {
            return Ok(None);
        }
    }
}
