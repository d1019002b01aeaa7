//! What a group's requests read and write before it is durable: a request builds on the ones
//! before it, and its batch says on which.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use tocsin_core::alert::{Alert, KeyRow, Tally, Waiting};
use tocsin_core::{IncidentId, IncidentKey, Timestamp};
use tocsin_store::{Append, Batch};

use crate::runtime::engine::Engine;
use crate::runtime::engine::plan::Planned;
use crate::runtime::error::EngineError;
use crate::runtime::state::tables::alert::ALERTS;
use crate::runtime::state::tables::incident_key::INCIDENT_KEYS;
use crate::runtime::state::tables::number;
use crate::runtime::state::tables::tally::TALLIES;
use crate::runtime::state::tables::waiting::{self, WAITING};
use crate::runtime::state::view::{IncidentState, pack_of, stream_of};

/// What the earlier requests of a round have come to, not yet durable, and which of them the
/// present one builds on.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    alerts: HashMap<String, (Arc<Alert>, usize)>,
    keys: HashMap<IncidentKey, (IncidentId, usize)>,
    waiting: HashMap<IncidentKey, (Waiting, usize)>,
    incidents: HashMap<IncidentId, usize>,
    /// The incidents among those whose tally was written.
    tallies: HashSet<IncidentId>,
    /// The number that was taken last.
    number: Option<(u64, usize)>,
    present: usize,
    needs: BTreeSet<usize>,
    read: Read,
}

/// What the present request has read in the store, and must find unchanged when its batch is
/// committed: revisions of rows, 0 where there was none. What an earlier request of the round wrote
/// is not among them: the batch needs that one's.
#[derive(Debug, Default)]
struct Read {
    alerts: BTreeMap<String, u64>,
    keys: BTreeMap<IncidentKey, u64>,
    waiting: BTreeMap<IncidentKey, u64>,
    /// The versions of incidents.
    incidents: BTreeMap<IncidentId, u64>,
    /// The revisions of their tallies where those matter: timers follow from both. An earlier
    /// request may have written the incident alone, and then nothing else guards its tally.
    tallies: BTreeMap<IncidentId, u64>,
}

impl Scratch {
    /// The next request's batch will be number `present` of the group.
    pub(crate) fn begin(&mut self, present: usize) {
        self.present = present;
        self.needs.clear();
        self.read = Read::default();
    }

    /// The earlier batches that the present one was decided on.
    pub(crate) fn needs(&self) -> Vec<usize> {
        self.needs.iter().copied().collect()
    }

    /// Lets the present request's batch fail if anything that it was decided on has changed, also
    /// where it writes something else.
    pub(crate) fn guard_reads(&mut self, batch: &mut Batch) {
        let read = std::mem::take(&mut self.read);
        let alerts = read.alerts.iter().map(|(key, at)| ALERTS.guard(key, *at));
        let keys = read.keys.iter();
        let keys = keys.map(|(key, at)| INCIDENT_KEYS.guard(key.as_str(), *at));
        let waiting = read.waiting.iter();
        let waiting = waiting.map(|(key, at)| WAITING.guard(key.as_str(), *at));
        batch.guards.extend(alerts.chain(keys).chain(waiting));
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

    /// Notes that the tally of an incident does not matter to the present request: a page that is
    /// taken must not be refused because alerts are counted meanwhile.
    pub(crate) fn ignores_tally(&mut self, id: &IncidentId) {
        self.read.tallies.remove(id);
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
        // What was decided on is what was read first, here and below.
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

    pub(crate) fn incident_of_key(
        &mut self,
        key: &IncidentKey,
    ) -> Result<Option<Arc<IncidentState>>, EngineError> {
        let id = match self.scratch.keys.get(key) {
            Some((id, batch)) => {
                let id = id.clone();
                self.scratch.needs.insert(*batch);
                Some(id)
            }
            None => self.read_key(key)?,
        };
        match id {
            Some(id) => self.read_incident(&id),
            None => Ok(None),
        }
    }

    pub(crate) fn read_incident(
        &mut self,
        id: &IncidentId,
    ) -> Result<Option<Arc<IncidentState>>, EngineError> {
        let state = self.hold(id)?;
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
        let (key, after) = (after.key(), Arc::new(after));
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
            // Nothing else would remember after a crash that it is over and not packed.
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

    /// The number that the next incident gets.
    pub(crate) fn next_number(&self) -> u64 {
        let taken = self.scratch.number.map(|(number, _)| number);
        taken.unwrap_or(self.last_number.value).saturating_add(1)
    }

    /// Takes the number of an incident that opens.
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

    /// The incident of a key, as the store has it.
    fn read_key(&mut self, key: &IncidentKey) -> Result<Option<IncidentId>, EngineError> {
        let row = INCIDENT_KEYS.get(self.store.as_ref(), key.as_str())?;
        let revision = row.as_ref().map_or(0, |row| row.revision);
        let read = &mut self.scratch.read.keys;
        read.entry(key.clone()).or_insert(revision);
        Ok(row.map(|row| row.value.incident))
    }
}
