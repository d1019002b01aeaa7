//! Turns a request into a batch: reads what the core needs, lets the core decide, and adds the
//! resulting rows, events, timers and deliveries.

use std::sync::Arc;

use tocsin_core::alert::Alert;
use tocsin_core::command::{Command, Outcome, Refusal};
use tocsin_core::incident::{absorbed, keys_of};
use tocsin_core::intake::{
    Assessment, IncidentChange, Intake, Known, end_by_hand, joining_alerts, waiting_keys,
};
use tocsin_core::{
    Actor, Draft, Event, IncidentId, IncidentKey, Signal, Timestamp, decide, decide_signal,
    open_by_hand,
};
use tocsin_store::{Batch, CommandKey, Guard};

use crate::runtime::engine::Engine;
use crate::runtime::engine::request::{Answer, Cause, Done, Request, Write};
use crate::runtime::error::EngineError;
use crate::runtime::state::tables::history;
use crate::runtime::state::tables::mark::Mark;
use crate::runtime::state::tables::summary;
use crate::runtime::state::view::{IncidentState, heir_of};

/// How long a command's key is stored, in milliseconds: a day.
pub(crate) const COMMAND_KEY_TTL_MS: u64 = 24 * tocsin_core::time::HOUR_MS;

/// The result of a request before it is durable.
#[derive(Debug, Default)]
pub(crate) struct Planned {
    pub(crate) batch: Batch,
    /// The changed incidents, in their new state.
    pub(crate) incidents: Vec<Arc<IncidentState>>,
    /// The changed alerts, in their old and new state.
    pub(crate) alerts: Vec<(Option<Arc<Alert>>, Arc<Alert>)>,
    /// The positions of the incidents' tallies in the batch's rows.
    pub(crate) tally_rows: Vec<(IncidentId, usize)>,
    /// The incident number that was taken, and its position in the batch's rows.
    pub(crate) number_row: Option<(u64, usize)>,
    pub(crate) done: Done,
    /// The command was refused, but its cause is still settled.
    pub(crate) refusal: Option<EngineError>,
}

impl Planned {
    /// Only a refusal.
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

    /// Refuses the batch unless the guard holds; needless when nothing is written.
    pub(super) fn guard(&mut self, guard: Guard) {
        if !self.is_nothing() {
            self.batch.guards.push(guard);
        }
    }

    pub(crate) fn answer(&mut self) -> Result<Answer, EngineError> {
        match self.refusal.take() {
            Some(refusal) => Err(refusal),
            None => Ok(Answer::Done(std::mem::take(&mut self.done))),
        }
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
            Request::Silencing { alert, silencing } => self.plan_silencing(alert, silencing, now),
            Request::EndAlert {
                alert,
                by,
                may_see,
                reason,
            } => self.plan_end(alert, by, *may_see, reason, now),
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
            Request::Change(change) => self.plan_change(change, now),
            Request::Test(test) => self.plan_test(test, now),
            Request::Gather { person, fired } => self.plan_gather(person, fired, now),
            Request::Arrived { message, arrival } => self.plan_arrived(message, *arrival, now),
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
        if let Some(it) = assessment {
            self.check_silences((it.silences_at, it.silences_until), now)?;
        }
        let key = Alert::row_key(&signal.integration, &signal.fingerprint);
        let alert = self.alert(&key)?;
        let home = match alert.as_deref().and_then(Alert::incident) {
            Some(id) => self.read_incident(&id.clone())?,
            None => None,
        };
        let heir = match home.as_deref() {
            Some(home) => self.heir(home)?,
            None => None,
        };
        let target_key = assessment.and_then(|it| it.route.value.target());
        let target_key = target_key.map(|target| &target.key);
        let target = match target_key {
            Some(key) => self.incident_of_key(key)?,
            None => None,
        };
        let mut waiting = Vec::new();
        for key in waiting_keys(alert.as_deref(), assessment) {
            let list = self.waiting(&key)?.unwrap_or_default();
            waiting.push((key, list));
        }
        let mut known = Known {
            alert: alert.as_deref(),
            home: home.as_deref().map(IncidentState::parts),
            heir: heir.as_deref().map(IncidentState::parts),
            target: target.as_deref().map(IncidentState::parts),
            waiting: &waiting,
            unless_observed_since,
            ..Known::default()
        };
        let mut before: Vec<Arc<Alert>> = Vec::new();
        for key in joining_alerts(signal, &known, assessment, now) {
            before.extend(self.alert(&key)?);
        }
        let joining: Vec<&Alert> = before.iter().map(AsRef::as_ref).collect();
        known.joining = &joining;
        let new_id = self.new_id(now);
        let intake = decide_signal(signal, known, assessment, &new_id, self.env(now))?;
        before.extend(alert.clone());
        let by = Actor::Integration(signal.integration.clone());
        let mut planned = self.write_intake(&by, &before, target_key, intake, now)?;
        if let Some(mark) = assessment.and_then(|it| it.silences_mark) {
            planned.guard(Mark::SILENCES.guard(mark));
        }
        Ok(planned)
    }

    /// `before`: the current state of the alerts that may change.
    pub(super) fn write_intake(
        &mut self,
        by: &Actor,
        before: &[Arc<Alert>],
        target_key: Option<&IncidentKey>,
        intake: Intake,
        now: Timestamp,
    ) -> Result<Planned, EngineError> {
        let mut planned = Planned::default();
        for after in intake.alerts {
            let is_it = |it: &&Arc<Alert>| {
                it.fingerprint == after.fingerprint && it.integration == after.integration
            };
            let before = before.iter().find(is_it).cloned();
            self.count_hidden_alert(before.as_deref(), &after, &mut planned)?;
            self.write_alert(before, after, &mut planned)?;
        }
        for entry in &intake.history {
            history::add(entry)?.lay_out(&mut planned.batch);
        }
        for (key, waiting) in intake.waiting {
            self.write_waiting(&key, waiting, now, &mut planned)?;
        }
        for change in intake.incidents {
            if let (true, Some(key)) = (change.opens, target_key) {
                self.write_key(key, &change.id, &mut planned)?;
            }
            self.lay_out_change(change, by, now, &mut planned)?;
        }
        Ok(planned)
    }

    fn plan_end(
        &mut self,
        key: &str,
        by: &Actor,
        may_see: bool,
        reason: &str,
        now: Timestamp,
    ) -> Result<Planned, EngineError> {
        let alert = self.alert(key)?.ok_or(Refusal::Unseen)?;
        let home = match alert.incident() {
            Some(id) => self.read_incident(id)?,
            None => None,
        };
        let parts = home.as_deref().map(IncidentState::parts);
        let env = self.env(now);
        let intake = end_by_hand(&alert, parts, may_see, reason.to_owned(), env)?;
        let before = [Arc::clone(&alert)];
        let mut planned = self.write_intake(by, &before, None, intake, now)?;
        let over = if alert.firing { "is" } else { "was already" };
        planned.done.reply = format!("the alert `{}` {over} over", alert.title);
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
            // The clock was set back after the timer was read: the timer stays set and fires later.
            planned.refusal = Some(Refusal::Stale("the clock").into());
            return Ok(planned);
        }
        if let Some(repeated) = self.repeated(cause.key.as_ref())? {
            planned.done.repeated = Some(repeated);
            Self::lay_out_cause(cause, &mut planned.batch);
            return Ok(planned);
        }
        let pressed = match (&command, by.person()) {
            (Command::Acknowledge { via }, Some(person)) if cause.is_press => {
                Some((person, via.clone()))
            }
            _ => None,
        };
        let decided = match self.read_incident(id)? {
            Some(state) => {
                let command = self.with_others(&state, command)?;
                let env = self.env(now);
                let outcome = decide(&state.incident, &state.tally, command, by, env);
                outcome.map_err(EngineError::from).map(|it| (state, it))
            }
            None => Err(EngineError::NoIncident(id.to_string())),
        };
        match decided {
            Ok((state, outcome)) => {
                planned.done.reply.clone_from(&outcome.reply);
                planned.done.incident = Some(Arc::clone(&state.incident));
                if let Some((person, via)) = pressed {
                    self.prove_contact(&state, person, &via, now, &mut planned)?;
                }
                if !outcome.is_reply() {
                    self.take_key_again(&state, &outcome, &mut planned)?;
                    self.absorb(&state, &outcome, by, now, &mut planned)?;
                    let change = IncidentChange {
                        id: id.clone(),
                        opens: false,
                        outcome,
                    };
                    self.lay_out_change(change, by, now, &mut planned)?;
                }
                planned.batch.command = cause
                    .key
                    .as_ref()
                    .map(|key| command_result(key, &planned.done, now));
            }
            Err(error @ EngineError::Refused(Refusal::OtherStep | Refusal::NeedsVerdict)) => {
                // The timer stays set: it fires again with what was looked up for the state as it
                // is now.
                planned.refusal = Some(error);
                return Ok(planned);
            }
            Err(error) => planned.refusal = Some(error),
        }
        Self::lay_out_cause(cause, &mut planned.batch);
        Ok(planned)
    }

    /// A command that reopens an incident is told whether another one of its key is active, and one
    /// that merges it the incident that it is merged into.
    fn with_others(
        &mut self,
        state: &IncidentState,
        mut command: Command,
    ) -> Result<Command, EngineError> {
        if let Command::Reopen { rival, .. } = &mut command {
            let other = self.incident_of_key(&state.incident.about.key)?;
            *rival = other.is_some_and(|it| it.incident.is_active_beside(&state.incident));
        }
        self.look_up_held(&state.incident, &mut command)?;
        if let Command::Merge(merge) = &mut command
            && let Some(summary) = summary::of_number(self.store.as_ref(), merge.into)?
        {
            let into = self.read_incident(summary.id())?;
            merge.target = into.map(|it| Arc::clone(&it.incident));
        }
        Ok(command)
    }

    /// The incident that goes on with a merged one.
    fn heir(&mut self, home: &IncidentState) -> Result<Option<Arc<IncidentState>>, EngineError> {
        // Those in between are not guarded: that they were merged never changes.
        match heir_of(home, |id| self.load_incident(id))? {
            Some(id) => self.read_incident(&id),
            None => Ok(None),
        }
    }

    /// The incident that another one is merged into takes over its keys.
    fn absorb(
        &mut self,
        from: &IncidentState,
        outcome: &Outcome,
        by: &Actor,
        now: Timestamp,
        planned: &mut Planned,
    ) -> Result<(), EngineError> {
        let merged = outcome.events.iter().find_map(|it| match it {
            Event::Merged { into, reason, .. } => Some((into, reason)),
            _ => None,
        });
        let Some((into, reason)) = merged else {
            return Ok(());
        };
        for key in keys_of(&from.incident) {
            if self.holder_of(&key)?.as_ref() == Some(&from.incident.id) {
                self.write_key(&key, into, planned)?;
            }
        }
        planned.batch.packs.dedup();
        let Some(target) = self.load_incident(into)? else {
            return Err(EngineError::NoIncident(into.to_string()));
        };
        let change = IncidentChange {
            id: into.clone(),
            opens: false,
            outcome: absorbed(&from.incident, &target.incident, reason),
        };
        self.lay_out_change(change, by, now, planned)
    }

    /// An incident that reopens may have lost its key to one that is over.
    fn take_key_again(
        &mut self,
        state: &IncidentState,
        outcome: &Outcome,
        planned: &mut Planned,
    ) -> Result<(), EngineError> {
        let (id, key) = (&state.incident.id, &state.incident.about.key);
        let reopens = |it: &Event| matches!(it, Event::Reopened { .. });
        if outcome.events.iter().any(reopens) {
            let holder = self.incident_of_key(key)?;
            if holder.is_none_or(|it| it.incident.id != *id) {
                self.write_key(key, id, planned)?;
            }
        }
        Ok(())
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
        let incident_key = draft.key_of(&new_id);
        let known = self.incident_of_key(&incident_key)?;
        let incident = known.as_ref().map(|it| it.incident.as_ref());
        let env = self.env(now);
        let outcome = open_by_hand(draft.clone(), incident, opening, by, &new_id, env)?;
        planned.done.reply.clone_from(&outcome.reply);
        if outcome.is_reply() {
            planned.done.incident = known.map(|it| Arc::clone(&it.incident));
            return Ok(());
        }
        self.write_key(&incident_key, &new_id.id, planned)?;
        let change = IncidentChange {
            id: new_id.id,
            opens: true,
            outcome,
        };
        self.lay_out_change(change, by, now, planned)?;
        planned.batch.command = key.map(|key| command_result(key, &planned.done, now));
        Ok(())
    }

    fn lay_out_cause(cause: &Cause, batch: &mut Batch) {
        batch.timers_take.extend(cause.fired.clone());
        Self::lay_out_write(&cause.also, batch);
        if cause.settles.is_some() {
            batch.settles.clone_from(&cause.settles);
        }
    }

    pub(super) fn lay_out_write(write: &Write, batch: &mut Batch) {
        let write = write.clone();
        write.rows.lay_out(batch);
        batch.outbox.extend(write.outbox);
        batch.timers_set.extend(write.timers_set);
        batch.timers_take.extend(write.timers_take);
        if write.settles.is_some() {
            batch.settles = write.settles;
        }
    }

    pub(super) fn repeated(
        &self,
        key: Option<&CommandKey>,
    ) -> Result<Option<serde_json::Value>, EngineError> {
        match key {
            Some(key) => Ok(self.store.command_result(key)?),
            None => Ok(None),
        }
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
