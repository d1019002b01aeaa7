//! What a group's requests have read and written before it is durable: a request sees the changes
//! of earlier ones, and its batch records which ones it depends on.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use tocsin_core::alert::{Alert, KeyRow, Tally, Waiting};
use tocsin_core::{IncidentId, IncidentKey, Timestamp};
use tocsin_store::{Append, Batch};

use crate::runtime::engine::Engine;
use crate::runtime::engine::plan::Planned;
use crate::runtime::error::EngineError;
use crate::runtime::state::tables::alert::ALERTS;
use crate::runtime::state::tables::hidden::{HIDDEN, Hidden};
use crate::runtime::state::tables::incident_key::INCIDENT_KEYS;
use crate::runtime::state::tables::number;
use crate::runtime::state::tables::service_change::{self, SERVICE_CHANGES, ServiceChanges};
use crate::runtime::state::tables::tally::TALLIES;
use crate::runtime::state::tables::waiting::{self, WAITING};
use crate::runtime::state::view::{IncidentState, pack_of, stream_of};

/// The changes of a round's earlier requests, not yet durable, and which of them the current
/// request depends on.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    alerts: HashMap<String, (Arc<Alert>, usize)>,
    keys: HashMap<IncidentKey, (IncidentId, usize)>,
    waiting: HashMap<IncidentKey, (Waiting, usize)>,
    hidden: HashMap<String, (Hidden, usize)>,
    changes: HashMap<String, (ServiceChanges, usize)>,
    incidents: HashMap<IncidentId, usize>,
    /// Incidents whose tally was written.
    tallies: HashSet<IncidentId>,
    /// The last number that was taken.
    number: Option<(u64, usize)>,
    present: usize,
    needs: BTreeSet<usize>,
    read: Read,
}

/// What the current request has read from the store, which must be unchanged when its batch is
/// committed: revisions of rows, 0 where there was none. What earlier requests of the round wrote
/// is not included, as the batch depends on theirs.
#[derive(Debug, Default)]
struct Read {
    alerts: BTreeMap<String, u64>,
    keys: BTreeMap<IncidentKey, u64>,
    waiting: BTreeMap<IncidentKey, u64>,
    hidden: BTreeMap<String, u64>,
    /// By service.
    changes: BTreeMap<String, u64>,
    /// The versions of incidents.
    incidents: BTreeMap<IncidentId, u64>,
    /// The revisions of their tallies where they matter, as timers depend on both. An earlier
    /// request may have written only the incident, and then nothing else guards its tally.
    tallies: BTreeMap<IncidentId, u64>,
}

impl Scratch {
    /// Begins a request whose batch will be number `present` of the group.
    pub(crate) fn begin(&mut self, present: usize) {
        self.present = present;
        self.needs.clear();
        self.read = Read::default();
    }

    /// The earlier batches that the current one depends on.
    pub(crate) fn needs(&self) -> Vec<usize> {
        self.needs.iter().copied().collect()
    }

    /// Makes the current batch fail if anything that it was based on has changed, even if the batch
    /// does not write it.
    pub(crate) fn guard_reads(&mut self, batch: &mut Batch) {
        let read = std::mem::take(&mut self.read);
        let alerts = read.alerts.iter().map(|(key, at)| ALERTS.guard(key, *at));
        let keys = read.keys.iter();
        let keys = keys.map(|(key, at)| INCIDENT_KEYS.guard(key.as_str(), *at));
        let waiting = read.waiting.iter();
        let waiting = waiting.map(|(key, at)| WAITING.guard(key.as_str(), *at));
        let hidden = read.hidden.iter().map(|(key, at)| HIDDEN.guard(key, *at));
        let changes = read.changes.iter();
        let changes = changes.map(|(service, at)| SERVICE_CHANGES.guard(service, *at));
        let guards = alerts
            .chain(keys)
            .chain(waiting)
            .chain(hidden)
            .chain(changes);
        batch.guards.extend(guards);
        let tallies = read.tallies.iter();
        let tallies = tallies.map(|(id, at)| TALLIES.guard(id.as_str(), *at));
        batch.guards.extend(tallies);
        for (id, version) in read.incidents {
            let stream = stream_of(&id);
            if batch.appends.iter().all(|it| it.stream != stream) {
                batch.appends.push(Append {
                    stream,
                    expected: version,
                    events: Vec::new(),
                });
            }
        }
    }

    /// Records that an incident's tally does not matter to the current request: a delivered page
    /// must not be refused because alerts were counted in the meantime.
    pub(crate) fn ignores_tally(&mut self, id: &IncidentId) {
        self.read.tallies.remove(id);
    }

    /// Has the current batch fail with an earlier one that wrote an incident. What is in the store
    /// of it may change: no batch may guard the streams of many incidents.
    pub(crate) fn relies_on(&mut self, id: &IncidentId) {
        self.needs.extend(self.incidents.get(id));
    }

    pub(crate) fn wrote_incident(&mut self, id: &IncidentId) {
        self.incidents.insert(id.clone(), self.present);
    }
}

impl Engine {
    pub(crate) fn alert(&mut self, key: &str) -> Result<Option<Arc<Alert>>, EngineError> {
        if let Some((alert, batch)) = self.scratch.alerts.get(key) {
            self.scratch.needs.insert(*batch);
            return Ok(Some(Arc::clone(alert)));
        }
        let row = ALERTS.get(self.store.as_ref(), key)?;
        let revision = row.as_ref().map_or(0, |row| row.revision);
        // The first read is what the decision is based on, here and below.
        let read = &mut self.scratch.read.alerts;
        read.entry(key.to_owned()).or_insert(revision);
        Ok(row.map(|row| Arc::new(row.value)))
    }

    pub(crate) fn waiting(&mut self, key: &IncidentKey) -> Result<Option<Waiting>, EngineError> {
        if let Some((waiting, batch)) = self.scratch.waiting.get(key) {
            let found = waiting.clone();
            self.scratch.needs.insert(*batch);
            return Ok(Some(found));
        }
        let row = WAITING.get(self.store.as_ref(), key.as_str())?;
        let revision = row.as_ref().map_or(0, |row| row.revision);
        let read = &mut self.scratch.read.waiting;
        read.entry(key.clone()).or_insert(revision);
        Ok(row.map(|row| row.value))
    }

    pub(crate) fn hidden(&mut self, silence: &str) -> Result<Hidden, EngineError> {
        if let Some(&(hidden, batch)) = self.scratch.hidden.get(silence) {
            // The request itself may have counted already.
            if batch != self.scratch.present {
                self.scratch.needs.insert(batch);
            }
            return Ok(hidden);
        }
        let row = HIDDEN.get(self.store.as_ref(), silence)?;
        let revision = row.as_ref().map_or(0, |row| row.revision);
        let read = &mut self.scratch.read.hidden;
        read.entry(silence.to_owned()).or_insert(revision);
        Ok(row.map_or_else(Hidden::default, |row| row.value))
    }

    pub(crate) fn write_hidden(
        &mut self,
        silence: &str,
        hidden: Hidden,
        planned: &mut Planned,
    ) -> Result<(), EngineError> {
        HIDDEN.put(silence, &hidden)?.lay_out(&mut planned.batch);
        let noted = (hidden, self.scratch.present);
        self.scratch.hidden.insert(silence.to_owned(), noted);
        Ok(())
    }

    /// The last changes of a service.
    pub(crate) fn changes_of(&mut self, service: &str) -> Result<ServiceChanges, EngineError> {
        if let Some((changes, batch)) = self.scratch.changes.get(service) {
            let found = changes.clone();
            self.scratch.needs.insert(*batch);
            return Ok(found);
        }
        let row = SERVICE_CHANGES.get(self.store.as_ref(), service)?;
        let revision = row.as_ref().map_or(0, |row| row.revision);
        let read = &mut self.scratch.read.changes;
        read.entry(service.to_owned()).or_insert(revision);
        Ok(row.map_or_else(ServiceChanges::default, |row| row.value))
    }

    pub(crate) fn write_changes(
        &mut self,
        service: &str,
        changes: ServiceChanges,
        now: Timestamp,
        planned: &mut Planned,
    ) -> Result<(), EngineError> {
        service_change::put(service, &changes, now)?.lay_out(&mut planned.batch);
        let noted = (changes, self.scratch.present);
        self.scratch.changes.insert(service.to_owned(), noted);
        Ok(())
    }

    pub(crate) fn incident_of_key(
        &mut self,
        key: &IncidentKey,
    ) -> Result<Option<Arc<IncidentState>>, EngineError> {
        let Some(id) = self.holder_of(key)? else {
            return Ok(None);
        };
        let found = self.read_incident(&id)?;
        match found.as_ref().map(|it| &it.incident) {
            Some(it) if it.has_borrowed(key) => {
                let holder = self.holder_of(&it.about.key)?;
                Ok(found.filter(|_| holder == Some(id)))
            }
            _ => Ok(found),
        }
    }

    /// The id of the incident under a key, which is not read.
    pub(crate) fn holder_of(
        &mut self,
        key: &IncidentKey,
    ) -> Result<Option<IncidentId>, EngineError> {
        match self.scratch.keys.get(key) {
            Some((id, batch)) => {
                let id = id.clone();
                self.scratch.needs.insert(*batch);
                Ok(Some(id))
            }
            None => self.read_key(key),
        }
    }

    pub(crate) fn read_incident(
        &mut self,
        id: &IncidentId,
    ) -> Result<Option<Arc<IncidentState>>, EngineError> {
        let state = self.load_incident(id)?;
        match self.scratch.incidents.get(id) {
            Some(batch) => drop(self.scratch.needs.insert(*batch)),
            None => {
                let version = state.as_ref().map_or(0, |it| it.incident.version);
                let reads = &mut self.scratch.read.incidents;
                reads.entry(id.clone()).or_insert(version);
            }
        }
        if !self.scratch.tallies.contains(id) {
            let revision = self.tally_revision(id);
            let reads = &mut self.scratch.read.tallies;
            reads.entry(id.clone()).or_insert(revision);
        }
        Ok(state)
    }

    pub(crate) fn write_alert(
        &mut self,
        before: Option<Arc<Alert>>,
        after: Alert,
        planned: &mut Planned,
    ) -> Result<(), EngineError> {
        let (key, after) = (after.key(), Arc::new(after.fitted()));
        ALERTS.put(&key, &after)?.lay_out(&mut planned.batch);
        let noted = (Arc::clone(&after), self.scratch.present);
        self.scratch.alerts.insert(key, noted);
        planned.alerts.push((before, after));
        Ok(())
    }

    pub(crate) fn write_key(
        &mut self,
        key: &IncidentKey,
        id: &IncidentId,
        planned: &mut Planned,
    ) -> Result<(), EngineError> {
        let before = match self.scratch.keys.get(key) {
            Some(_) => None,
            None => self.read_key(key)?,
        };
        if let Some(before) = before
            && let Some(state) = self.read_incident(&before)?
        {
            // After a crash, nothing else would show that it is over and not packed.
            planned.batch.packs.push(pack_of(&state.incident));
        }
        let row = KeyRow {
            incident: id.clone(),
        };
        INCIDENT_KEYS
            .put(key.as_str(), &row)?
            .lay_out(&mut planned.batch);
        self.scratch
            .keys
            .insert(key.clone(), (id.clone(), self.scratch.present));
        Ok(())
    }

    pub(crate) fn write_waiting(
        &mut self,
        key: &IncidentKey,
        waiting: Waiting,
        now: Timestamp,
        planned: &mut Planned,
    ) -> Result<(), EngineError> {
        waiting::set(key, &waiting, now)?.lay_out(&mut planned.batch);
        self.scratch
            .waiting
            .insert(key.clone(), (waiting, self.scratch.present));
        Ok(())
    }

    pub(crate) fn write_tally(
        &mut self,
        id: &IncidentId,
        tally: &Tally,
        planned: &mut Planned,
    ) -> Result<(), EngineError> {
        let at = planned.batch.rows.len();
        planned.tally_rows.push((id.clone(), at));
        self.scratch.tallies.insert(id.clone());
        TALLIES.put(id.as_str(), tally)?.lay_out(&mut planned.batch);
        Ok(())
    }

    /// The number for the next incident.
    pub(crate) fn next_number(&self) -> u64 {
        let taken = self.scratch.number.map(|(number, _)| number);
        taken.unwrap_or(self.last_number.value).saturating_add(1)
    }

    /// Takes the number for an incident that opens.
    pub(crate) fn take_number(
        &mut self,
        number: u64,
        planned: &mut Planned,
    ) -> Result<(), EngineError> {
        let mut write = number::take(number)?;
        let present = self.scratch.present;
        match self.scratch.number.replace((number, present)) {
            Some((_, batch)) => drop(self.scratch.needs.insert(batch)),
            None => write = write.if_at(self.last_number.revision),
        }
        planned.number_row = Some((number, planned.batch.rows.len()));
        write.lay_out(&mut planned.batch);
        Ok(())
    }

    /// The incident of a key in the store.
    fn read_key(&mut self, key: &IncidentKey) -> Result<Option<IncidentId>, EngineError> {
        let row = INCIDENT_KEYS.get(self.store.as_ref(), key.as_str())?;
        let revision = row.as_ref().map_or(0, |row| row.revision);
        let read = &mut self.scratch.read.keys;
        read.entry(key.clone()).or_insert(revision);
        Ok(row.map(|row| row.value.incident))
    }
}
