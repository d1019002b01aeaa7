//! What a group's requests read and write before it is durable: a request builds on the ones
//! before it, and its batch says on which.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use tocsin_core::alert::{Alert, KeyRow, Waiting};
use tocsin_core::{IncidentId, IncidentKey, Timestamp};

use crate::runtime::engine::Engine;
use crate::runtime::engine::plan::Planned;
use crate::runtime::engine::request::EngineError;
use crate::runtime::state::tables::alert::ALERTS;
use crate::runtime::state::tables::incident_key::INCIDENT_KEYS;
use crate::runtime::state::tables::waiting::{self, WAITING};
use crate::runtime::state::view::{IncidentState, alert_row, key_row, pack_of};

/// What the earlier requests of a round have come to, not yet durable, and which of them the
/// present one builds on.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    alerts: HashMap<String, (Arc<Alert>, usize)>,
    keys: HashMap<IncidentKey, (IncidentId, usize)>,
    waiting: HashMap<IncidentKey, (Waiting, usize)>,
    incidents: HashMap<IncidentId, usize>,
    present: usize,
    needs: BTreeSet<usize>,
}

impl Scratch {
    /// The next request's batch will be number `present` of the group.
    pub(crate) fn begin(&mut self, present: usize) {
        self.present = present;
        self.needs.clear();
    }

    /// The earlier batches that the present one was decided on.
    pub(crate) fn needs(&self) -> Vec<usize> {
        self.needs.iter().copied().collect()
    }

    /// Notes that the present request reads an incident.
    fn read_incident(&mut self, id: &IncidentId) {
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
        Ok(alert_row(self.store.as_ref(), key)?.map(Arc::new))
    }

    pub(crate) fn waiting(&mut self, key: &IncidentKey) -> Result<Option<Waiting>, EngineError> {
        if let Some((waiting, batch)) = self.scratch.waiting.get(key) {
            let found = waiting.clone();
            self.scratch.needs.insert(*batch);
            return Ok(Some(found));
        }
        let row = WAITING.get(self.store.as_ref(), key.as_str())?;
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
            None => key_row(self.store.as_ref(), key)?,
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
        self.scratch.read_incident(id);
        self.hold(id)
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
        if let Some(before) = key_row(self.store.as_ref(), key)?
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
}
