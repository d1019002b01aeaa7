//! One request's way to a batch: what is known is gathered, the core decides, and what it
//! decided is laid out as rows, events, timers and deliveries.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use tocsin_core::alert::{Alert, KeyRow, Place, Waiting};
use tocsin_core::command::{Command, Outcome, Refusal};
use tocsin_core::intake::{Assessment, Intake, Known};
use tocsin_core::{
    Actor, Draft, IncidentId, IncidentKey, Route, Signal, Timestamp, decide, decide_signal,
    open_by_hand,
};
use tocsin_store::{Batch, CommandKey};

use crate::runtime::engine::Engine;
use crate::runtime::engine::layout::Change;
use crate::runtime::engine::request::{Answer, Cause, Done, EngineError, Request, Write};
use crate::runtime::state::tables::alert::ALERTS;
use crate::runtime::state::tables::incident_key::INCIDENT_KEYS;
use crate::runtime::state::tables::waiting::{self, WAITING};
use crate::runtime::state::view::{IncidentState, alert_row, key_row, pack_of};

/// How long a command's key is remembered, in milliseconds: a day.
pub(crate) const COMMAND_KEY_TTL_MS: u64 = 24 * tocsin_core::time::HOUR_MS;

/// What one request comes to, before it is durable.
#[derive(Debug, Default)]
pub(crate) struct Planned {
    pub(crate) batch: Batch,
    /// The incidents that change, as they will stand.
    pub(crate) incidents: Vec<Arc<IncidentState>>,
    /// The alerts that change: as they stood and as they will stand.
    pub(crate) alerts: Vec<(Option<Arc<Alert>>, Arc<Alert>)>,
    pub(crate) done: Done,
    /// The command was refused, but what caused it is finished all the same.
    pub(crate) refusal: Option<EngineError>,
}

impl Planned {
    /// Nothing but a refusal.
    pub(crate) fn refused(refusal: EngineError) -> Self {
        Self {
            refusal: Some(refusal),
            ..Self::default()
        }
    }

    /// Whether there is nothing to commit.
    pub(crate) fn is_nothing(&self) -> bool {
        self.batch == Batch::default()
    }

    pub(crate) fn answer(&mut self) -> Result<Answer, EngineError> {
        match self.refusal.take() {
            Some(refusal) => Err(refusal),
            None => Ok(Answer::Done(std::mem::take(&mut self.done))),
        }
    }
}

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
    pub(crate) fn plan(
        &mut self,
        request: &Request,
        now: Timestamp,
    ) -> Result<Planned, EngineError> {
        match request {
            Request::Signal {
                signal,
                assessment,
                unless_observed_since,
            } => self.plan_signal(signal, assessment.as_deref(), *unless_observed_since, now),
            Request::Command {
                incident,
                by,
                command,
                cause,
            } => self.plan_command(incident, by, command.clone(), cause, now),
            Request::Open {
                draft,
                opening,
                by,
                key,
            } => {
                let mut planned = Planned::default();
                if let Some(repeated) = self.repeated(key.as_ref())? {
                    planned.done.repeated = Some(repeated);
                    return Ok(planned);
                }
                self.plan_open(draft, opening, by, key.as_ref(), now, &mut planned)?;
                Ok(planned)
            }
            Request::Write(write) => {
                let mut planned = Planned::default();
                Self::lay_out_write(write, &mut planned.batch);
                Ok(planned)
            }
            Request::Claim { .. } | Request::Expire => Ok(Planned::default()),
        }
    }

    fn plan_signal(
        &mut self,
        signal: &Signal,
        assessment: Option<&Assessment>,
        unless_observed_since: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Planned, EngineError> {
        let key = Alert::row_key(&signal.integration, &signal.fingerprint);
        let alert = self.alert(&key)?;
        // An alert that ended was heard of, also when that was in the same millisecond.
        let firing = alert.as_ref().filter(|it| it.firing);
        let last_seen = firing.map(|it| it.last_seen);
        if unless_observed_since.is_some() && last_seen != unless_observed_since {
            return Ok(Planned::default());
        }
        let home = match alert.as_deref().and_then(Alert::incident) {
            Some(id) => self.read_incident(&id.clone())?,
            None => None,
        };
        let target_key = assessment.and_then(|it| match &it.route.value {
            Route::Incident(target) | Route::Wait { target, .. } => Some(target.key.clone()),
            Route::Ignore => None,
        });
        let (target, waiting) = match &target_key {
            Some(key) => (self.incident_of_key(key)?, self.waiting(key)?),
            None => (None, None),
        };
        let new_id = self.new_id(now);
        let known = Known {
            alert: alert.as_deref(),
            home: home.as_deref().map(|it| (it.incident.as_ref(), &it.tally)),
            target: target
                .as_deref()
                .map(|it| (it.incident.as_ref(), &it.tally)),
            waiting: waiting.as_ref(),
        };
        let intake = decide_signal(signal, known, assessment, &new_id, now, &self.delays)?;
        self.lay_out_intake(signal, alert, target_key, intake, now)
    }

    fn lay_out_intake(
        &mut self,
        signal: &Signal,
        before: Option<Arc<Alert>>,
        target_key: Option<IncidentKey>,
        mut intake: Intake,
        now: Timestamp,
    ) -> Result<Planned, EngineError> {
        let mut planned = Planned::default();
        if let (Some(id), adopt) = (&intake.incident, std::mem::take(&mut intake.adopt))
            && !adopt.is_empty()
        {
            let key = target_key.as_ref();
            self.adopt(
                &id.clone(),
                key,
                adopt,
                &mut intake.outcome,
                now,
                &mut planned,
            )?;
        }
        if let Some(alert) = intake.alert.take() {
            if let Some(before) = &before {
                self.leave(before, &alert, now, &mut planned)?;
            }
            self.write_alert(before, alert, &mut planned)?;
        }
        if let (Some(key), Some(waiting)) = (&target_key, intake.waiting.take()) {
            self.write_waiting(key, waiting, now, &mut planned)?;
        }
        if let Some(id) = intake.incident.take() {
            let by = Actor::Integration(signal.integration.clone());
            let change = Change {
                id: &id,
                by: &by,
                opens: intake.opens,
                outcome: intake.outcome,
            };
            if intake.opens
                && let Some(key) = target_key
            {
                self.write_key(&key, &id, &mut planned)?;
            }
            self.lay_out_change(change, now, &mut planned)?;
        }
        Ok(planned)
    }

    fn plan_command(
        &mut self,
        id: &IncidentId,
        by: &Actor,
        command: Command,
        cause: &Cause,
        now: Timestamp,
    ) -> Result<Planned, EngineError> {
        let mut planned = Planned::default();
        if cause.fired.as_ref().is_some_and(|timer| timer.due > now) {
            // The clock was set back after the timer was read: it stays, and fires in its time.
            planned.refusal = Some(Refusal::Stale("the clock").into());
            return Ok(planned);
        }
        if let Some(repeated) = self.repeated(cause.key.as_ref())? {
            planned.done.repeated = Some(repeated);
            Self::lay_out_cause(cause, &mut planned.batch);
            return Ok(planned);
        }
        let decided = match self.read_incident(id)? {
            Some(state) => decide(
                &state.incident,
                &state.tally,
                command,
                by,
                now,
                &self.delays,
            )
            .map_err(EngineError::from)
            .map(|outcome| (state, outcome)),
            None => Err(EngineError::NoIncident(id.to_string())),
        };
        match decided {
            Ok((state, outcome)) => {
                planned.done.reply.clone_from(&outcome.reply);
                planned.done.incident = Some(Arc::clone(&state.incident));
                if outcome
                    != (Outcome {
                        reply: outcome.reply.clone(),
                        ..Outcome::default()
                    })
                {
                    let change = Change {
                        id,
                        by,
                        opens: false,
                        outcome,
                    };
                    self.lay_out_change(change, now, &mut planned)?;
                }
                planned.batch.command = cause
                    .key
                    .as_ref()
                    .map(|key| command_result(key, &planned.done, now));
            }
            Err(error) => planned.refusal = Some(error),
        }
        Self::lay_out_cause(cause, &mut planned.batch);
        Ok(planned)
    }

    fn plan_open(
        &mut self,
        draft: &Draft,
        opening: &tocsin_core::command::Opening,
        by: &Actor,
        key: Option<&CommandKey>,
        now: Timestamp,
        planned: &mut Planned,
    ) -> Result<(), EngineError> {
        let new_id = self.new_id(now);
        let incident_key = draft
            .key
            .clone()
            .unwrap_or_else(|| IncidentKey(format!("by-hand/{}", new_id.id)));
        if let Some(state) = self.incident_of_key(&incident_key)?
            && state.incident.is_active()
        {
            planned.done.incident = Some(Arc::clone(&state.incident));
            planned.done.reply = format!("incident {} is open already", state.incident.number);
            return Ok(());
        }
        let mut draft = draft.clone();
        draft.key = Some(incident_key.clone());
        let outcome = open_by_hand(draft, opening, by, &new_id, now, &self.delays)?;
        planned.done.reply.clone_from(&outcome.reply);
        self.write_key(&incident_key, &new_id.id, planned)?;
        let change = Change {
            id: &new_id.id,
            by,
            opens: true,
            outcome,
        };
        self.lay_out_change(change, now, planned)?;
        planned.batch.command = key.map(|key| command_result(key, &planned.done, now));
        Ok(())
    }

    /// Alerts that waited under the incident's key join it: their rows, and its tally.
    fn adopt(
        &mut self,
        id: &IncidentId,
        waited_for: Option<&IncidentKey>,
        adopt: Vec<String>,
        outcome: &mut Outcome,
        now: Timestamp,
        planned: &mut Planned,
    ) -> Result<(), EngineError> {
        for key in adopt {
            let Some(before) = self.alert(&key)? else {
                continue;
            };
            let waits = matches!(&before.place, Place::Waiting { key } if Some(key) == waited_for);
            if !before.firing || !waits {
                continue;
            }
            if let Some(tally) = &mut outcome.tally {
                tally.begin(&before.title, true, now);
            }
            let after = Alert {
                place: Place::Incident { id: id.clone() },
                ..before.as_ref().clone()
            };
            self.write_alert(Some(before), after, planned)?;
        }
        Ok(())
    }

    /// A firing alert that goes elsewhere no longer fires in the incident that it was in, which
    /// is over: should that one reopen, it must not wait for an alert that never ends there.
    fn leave(
        &mut self,
        before: &Alert,
        after: &Alert,
        now: Timestamp,
        planned: &mut Planned,
    ) -> Result<(), EngineError> {
        let Some(old) = before.incident().filter(|_| before.firing) else {
            return Ok(());
        };
        if after.incident() == Some(old) {
            return Ok(());
        }
        let Some(state) = self.read_incident(old)? else {
            return Ok(());
        };
        let mut tally = state.tally.clone();
        tally.end(self.delays.resolve_after_ms, now);
        let by = Actor::Integration(before.integration.clone());
        let outcome = Outcome {
            tally: Some(tally),
            ..Outcome::default()
        };
        let change = Change {
            id: old,
            by: &by,
            opens: false,
            outcome,
        };
        self.lay_out_change(change, now, planned)
    }

    fn write_alert(
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

    fn write_key(
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

    fn write_waiting(
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

    fn lay_out_cause(cause: &Cause, batch: &mut Batch) {
        batch.timers_take.extend(cause.fired.clone());
        Self::lay_out_write(&cause.also, batch);
        if cause.settles.is_some() {
            batch.settles.clone_from(&cause.settles);
        }
    }

    fn lay_out_write(write: &Write, batch: &mut Batch) {
        let write = write.clone();
        write.rows.lay_out(batch);
        batch.outbox.extend(write.outbox);
        batch.timers_set.extend(write.timers_set);
        batch.timers_cancel.extend(write.timers_cancel);
        batch.timers_take.extend(write.timers_take);
        if write.settles.is_some() {
            batch.settles = write.settles;
        }
    }

    fn repeated(&self, key: Option<&CommandKey>) -> Result<Option<serde_json::Value>, EngineError> {
        match key {
            Some(key) => Ok(self.store.command_result(key)?),
            None => Ok(None),
        }
    }

    fn alert(&mut self, key: &str) -> Result<Option<Arc<Alert>>, EngineError> {
        if let Some((alert, batch)) = self.scratch.alerts.get(key) {
            self.scratch.needs.insert(*batch);
            return Ok(Some(Arc::clone(alert)));
        }
        Ok(alert_row(self.store.as_ref(), key)?.map(Arc::new))
    }

    fn waiting(&mut self, key: &IncidentKey) -> Result<Option<Waiting>, EngineError> {
        if let Some((waiting, batch)) = self.scratch.waiting.get(key) {
            let found = waiting.clone();
            self.scratch.needs.insert(*batch);
            return Ok(Some(found));
        }
        let row = WAITING.get(self.store.as_ref(), key.as_str())?;
        Ok(row.map(|row| row.value))
    }

    fn incident_of_key(
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

    fn read_incident(
        &mut self,
        id: &IncidentId,
    ) -> Result<Option<Arc<IncidentState>>, EngineError> {
        self.scratch.read_incident(id);
        self.hold(id)
    }
}

fn command_result(key: &CommandKey, done: &Done, now: Timestamp) -> tocsin_store::CommandResult {
    let number = done.incident.as_ref().map(|it| it.number);
    let id = done.incident.as_ref().map(|it| it.id.clone());
    tocsin_store::CommandResult {
        key: key.clone(),
        result: serde_json::json!({ "reply": done.reply, "number": number, "incident": id }),
        expires_at: now.plus_ms(COMMAND_KEY_TTL_MS),
    }
}
