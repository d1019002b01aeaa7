//! Writes a change of an incident into a batch: events, rows, timers to set and cancel, and
//! deliveries.

use std::sync::Arc;

use tocsin_core::consequences::{
    Notice, Timer, TimerKind, notices, wanted_timers, with_review_due,
};
use tocsin_core::event::{Event, Recorded};
use tocsin_core::incident::{Incident, ignores_tally};
use tocsin_core::intake::IncidentChange;
use tocsin_core::{Actor, IncidentId, Timestamp};
use tocsin_store::encoding::encode;
use tocsin_store::{Append, TimerKey, TimerRow};

use crate::runtime::engine::Engine;
use crate::runtime::engine::plan::Planned;
use crate::runtime::error::EngineError;
use crate::runtime::state::tables::reference::{REFERENCES, reference_key};
use crate::runtime::state::tables::role_time::{self, RoleRow};
use crate::runtime::state::tables::summary;
use crate::runtime::state::view::{IncidentState, stream_of};

/// The kind of a timer row that belongs to the core.
pub(crate) const CORE_TIMER: &str = "incident";

impl Engine {
    /// Adds a change of an incident to the batch, and stores the incident's next state.
    pub(crate) fn lay_out_change(
        &mut self,
        change: IncidentChange,
        by: &Actor,
        now: Timestamp,
        planned: &mut Planned,
    ) -> Result<(), EngineError> {
        let IncidentChange {
            id,
            opens,
            mut outcome,
        } = change;
        let before = if opens {
            None
        } else {
            self.load_incident(&id)?
        };
        let was = before.as_deref();
        let incident_before = was.map(|it| it.incident.as_ref());
        self.look_up_suspects(incident_before, &mut outcome, now)?;
        let recorded = outcome.recorded(by, now);
        let incident = advance(&id, was, &recorded)?;
        let tally = outcome.tally.or_else(|| was.map(|it| it.tally.clone()));
        let tally = with_review_due(&incident, tally.unwrap_or_default(), now);
        let state = Arc::new(IncidentState { incident, tally });
        warn_if_cut(was, &state);
        if was.is_some_and(|was| ignores_tally(was.parts(), state.parts())) {
            self.scratch.ignores_tally(&id);
        }
        let settled = &outcome.settle_pages;
        let told = notices(incident_before, &state.incident, &recorded, settled);
        self.write_events(&id, incident_before, &recorded, planned)?;
        self.write_timers(was, &state, planned)?;
        self.write_notices(&id, &told, now, planned)?;
        self.write_rows(was, &state, &recorded, planned)?;
        self.count_hidden_pauses(&recorded, planned)?;
        planned.done.incident = Some(Arc::clone(&state.incident));
        planned.done.opened = opens;
        planned.done.events = recorded.len();
        self.scratch.wrote_incident(&id);
        self.cache_incident(id, &state);
        planned.incidents.push(state);
        Ok(())
    }

    fn write_events(
        &mut self,
        id: &IncidentId,
        before: Option<&Incident>,
        recorded: &[Recorded],
        planned: &mut Planned,
    ) -> Result<(), EngineError> {
        if recorded.is_empty() {
            return Ok(());
        }
        let events = recorded.iter().map(encode).collect::<Result<Vec<_>, _>>();
        let events = events.map_err(|error| EngineError::Damaged(error.to_string()))?;
        let expected = before.map_or(0, |it| it.version);
        planned.batch.appends.push(Append {
            stream: stream_of(id),
            expected,
            events,
        });
        Ok(())
    }

    fn write_timers(
        &mut self,
        before: Option<&IncidentState>,
        after: &IncidentState,
        planned: &mut Planned,
    ) -> Result<(), EngineError> {
        let wanted = |it: &IncidentState| wanted_timers(&it.incident, &it.tally);
        let (had, wants) = (before.map(wanted).unwrap_or_default(), wanted(after));
        for timer in wants.difference(&had) {
            planned.batch.timers_set.push(timer_row(timer)?);
        }
        let cancelled = had.difference(&wants).map(timer_key);
        planned.batch.timers_cancel.extend(cancelled);
        Ok(())
    }

    fn write_notices(
        &self,
        id: &IncidentId,
        notices: &[Notice],
        now: Timestamp,
        planned: &mut Planned,
    ) -> Result<(), EngineError> {
        for notice in notices {
            Self::queue_page(id, notice, now, planned)?;
            let rows = self.subscribed.rows(id, notice, now);
            planned.batch.outbox.extend(rows);
        }
        Ok(())
    }

    fn write_rows(
        &mut self,
        before: Option<&IncidentState>,
        state: &IncidentState,
        recorded: &[Recorded],
        planned: &mut Planned,
    ) -> Result<(), EngineError> {
        let incident = &state.incident;
        if before.is_none_or(|it| it.tally != state.tally) {
            self.write_tally(&incident.id, &state.tally, planned)?;
        }
        if !recorded.is_empty() {
            summary::put(incident)?.lay_out(&mut planned.batch);
        }
        if before.is_none() {
            self.take_number(incident.number, planned)?;
        }
        if let (Some(before), Some(last)) = (before, recorded.last()) {
            write_role_times(&before.incident, incident, last.at, planned)?;
        }
        for event in recorded {
            if let Event::Linked(link) = &event.event {
                let key = reference_key(link.plugin.as_str(), &link.kind, &link.id);
                REFERENCES
                    .put(&key, &incident.id)?
                    .lay_out(&mut planned.batch);
            }
        }
        Ok(())
    }
}

/// Keeps what people did in the roles that they do not have any more. A drill is no work.
fn write_role_times(
    before: &Incident,
    after: &Incident,
    at: Timestamp,
    planned: &mut Planned,
) -> Result<(), EngineError> {
    let ended = before.roles.ended(&after.roles, at);
    for time in ended.filter(|_| !after.about.drill) {
        let incident = after.id.clone();
        role_time::add(&RoleRow { incident, time })?.lay_out(&mut planned.batch);
    }
    Ok(())
}

/// Reports, once for each incident, that it has more kinds of alerts than it keeps verdicts of.
fn warn_if_cut(before: Option<&IncidentState>, after: &IncidentState) {
    let is_cut = |it: &IncidentState| it.tally.standing.as_ref().is_some_and(|it| it.is_cut);
    if is_cut(after) && !before.is_some_and(is_cut) {
        tracing::warn!(
            incident = after.incident.number,
            "the policies tell its alerts apart more finely than their verdicts can be kept, so \
             they are asked for each further alert; have `grade` read less, such as no `instance`"
        );
    }
}

/// The key of a core timer's row.
#[must_use]
pub fn timer_key(timer: &Timer) -> TimerKey {
    let id = match &timer.kind {
        TimerKind::Escalation => format!("{}/escalation", timer.incident),
        TimerKind::Contact { page, contact } => {
            format!("{}/contact-{page}-{contact}", timer.incident)
        }
        TimerKind::Fallback => format!("{}/fallback", timer.incident),
        TimerKind::Hold => format!("{}/hold", timer.incident),
        TimerKind::Prompt { prompt } => format!("{}/prompt-{prompt}", timer.incident),
        TimerKind::Ask { question } => format!("{}/ask-{}", timer.incident, question.key()),
        TimerKind::Respond => format!("{}/respond", timer.incident),
        TimerKind::Offer { role } => format!("{}/offer-{role}", timer.incident),
        TimerKind::Promise { audience } => format!("{}/promise-{audience}", timer.incident),
        TimerKind::Tally => format!("{}/tally", timer.incident),
        TimerKind::Clear => format!("{}/clear", timer.incident),
        TimerKind::Review => format!("{}/review", timer.incident),
        TimerKind::Reopen => format!("{}/reopen", timer.incident),
    };
    TimerKey {
        due: timer.due,
        kind: CORE_TIMER.to_owned(),
        id,
    }
}

fn timer_row(timer: &Timer) -> Result<TimerRow, EngineError> {
    let payload = serde_json::to_value(timer)
        .map_err(|error| EngineError::Damaged(format!("a timer: {error}")))?;
    Ok(TimerRow {
        key: timer_key(timer),
        payload,
    })
}

/// The incident after the events; not copied when there are none, as with most alerts.
fn advance(
    id: &IncidentId,
    before: Option<&IncidentState>,
    recorded: &[Recorded],
) -> Result<Arc<Incident>, EngineError> {
    match before {
        Some(state) if recorded.is_empty() => Ok(Arc::clone(&state.incident)),
        Some(state) => {
            let before = state.incident.as_ref().clone();
            Ok(Arc::new(recorded.iter().fold(before, Incident::fold)))
        }
        None => match Incident::replay(id, recorded) {
            Ok(incident) => Ok(Arc::new(incident)),
            Err(error) => Err(EngineError::Damaged(error.to_string())),
        },
    }
}
