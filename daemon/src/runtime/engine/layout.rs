//! How a change of an incident is laid out in a batch: its events, its rows, the timers that it
//! wants now and wanted before, and the deliveries that tell of it.

use std::sync::Arc;

use tocsin_core::command::{Command, Outcome};
use tocsin_core::consequences::{Notice, Timer, TimerKind, notices, wanted_timers};
use tocsin_core::event::{Event, Recorded};
use tocsin_core::incident::Incident;
use tocsin_core::{Actor, IncidentId, Timestamp, decide};
use tocsin_store::encoding::encode;
use tocsin_store::{Append, TimerKey, TimerRow};

use crate::runtime::engine::Engine;
use crate::runtime::engine::plan::Planned;
use crate::runtime::error::EngineError;
use crate::runtime::state::tables::reference::{REFERENCES, reference_key};
use crate::runtime::state::tables::tally::TALLIES;
use crate::runtime::state::tables::{number, summary};
use crate::runtime::state::view::{IncidentState, stream_of};

/// The kind of a timer row that belongs to the core.
pub(crate) const CORE_TIMER: &str = "incident";
/// Contacts that nobody brings any more which are passed over in one batch.
const UNREACHED_MAX: usize = 64;

/// What happens to one incident.
pub(crate) struct Change<'a> {
    pub(crate) id: &'a IncidentId,
    pub(crate) by: &'a Actor,
    pub(crate) opens: bool,
    pub(crate) outcome: Outcome,
}

impl Engine {
    /// Lays out what happens to an incident, and notes how it will stand.
    pub(crate) fn lay_out_change(
        &mut self,
        change: Change<'_>,
        now: Timestamp,
        planned: &mut Planned,
    ) -> Result<(), EngineError> {
        let Change {
            id,
            by,
            opens,
            outcome,
        } = change;
        let before = if opens { None } else { self.hold(id)? };
        let mut recorded = record(outcome.events, by, now);
        let mut after = advance(id, before.as_deref(), &recorded)?;
        let tally = outcome
            .tally
            .or_else(|| before.as_ref().map(|it| it.tally.clone()));
        let tally = tally.unwrap_or_default();
        let was = before.as_ref().map(|it| it.incident.as_ref());
        let mut news = notices(was, &after, &recorded, &outcome.settle_pages);
        for _ in 0..UNREACHED_MAX {
            let Some((page, contact)) = self.unreached(&news, &after) else {
                break;
            };
            let reason = "no plugin brings it there".to_owned();
            let command = Command::PageFailed {
                page,
                contact,
                reason,
            };
            let Ok(more) = decide(&after, &tally, command, by, now, &self.delays) else {
                break;
            };
            recorded.extend(record(more.events, &Actor::Tocsin, now));
            after = advance(id, before.as_deref(), &recorded)?;
            news = notices(was, &after, &recorded, &outcome.settle_pages);
        }
        self.write_events(id, was, &recorded, planned)?;
        self.write_timers(before.as_deref(), &after, &tally, planned)?;
        self.write_news(id, &after, &news, now, planned);
        let state = Arc::new(IncidentState {
            incident: after,
            tally,
        });
        self.write_rows(before.as_deref(), &state, &recorded, planned)?;
        planned.done.incident = Some(Arc::clone(&state.incident));
        planned.done.opened = opens;
        planned.done.events = recorded.len();
        self.scratch.wrote_incident(id);
        self.incidents.insert(id.clone(), Arc::clone(&state));
        planned.incidents.push(state);
        Ok(())
    }

    /// A page that is wanted at a contact which no plugin brings.
    fn unreached(&self, news: &[Notice], after: &Incident) -> Option<(u32, u32)> {
        let subscribers = self.subscribers.load();
        news.iter().find_map(|notice| match notice {
            Notice::Page {
                page,
                contact,
                channel,
                ..
            } => {
                let is_wanted = after
                    .paging
                    .pages
                    .get(page)
                    .is_some_and(|it| it.is_wanted_at(*contact));
                let is_brought = channel == crate::runtime::delivery::MAIL_CHANNEL
                    || subscribers.for_contact(channel).is_some();
                (is_wanted && !is_brought).then_some((*page, *contact))
            }
            _ => None,
        })
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
        after: &Incident,
        tally: &tocsin_core::alert::Tally,
        planned: &mut Planned,
    ) -> Result<(), EngineError> {
        let wanted = wanted_timers(after, tally);
        let had = before
            .map(|it| wanted_timers(&it.incident, &it.tally))
            .unwrap_or_default();
        for timer in wanted.difference(&had) {
            planned.batch.timers_set.push(timer_row(timer)?);
        }
        planned
            .batch
            .timers_cancel
            .extend(had.difference(&wanted).map(timer_key));
        Ok(())
    }

    fn write_news(
        &mut self,
        id: &IncidentId,
        after: &Incident,
        news: &[Notice],
        now: Timestamp,
        planned: &mut Planned,
    ) {
        let subscribers = self.subscribers.load_full();
        for notice in news {
            if let Notice::Page { page, contact, .. } = notice {
                let is_wanted = after
                    .paging
                    .pages
                    .get(page)
                    .is_some_and(|it| it.is_wanted_at(*contact));
                if !is_wanted {
                    continue;
                }
            }
            let rows = subscribers.rows(id, notice, now);
            planned.batch.outbox.extend(rows);
        }
    }

    fn write_rows(
        &mut self,
        before: Option<&IncidentState>,
        state: &IncidentState,
        recorded: &[Recorded],
        planned: &mut Planned,
    ) -> Result<(), EngineError> {
        let incident = &state.incident;
        let batch = &mut planned.batch;
        if before.is_none_or(|it| it.tally != state.tally) {
            TALLIES
                .put(incident.id.as_str(), &state.tally)?
                .lay_out(batch);
        }
        if !recorded.is_empty() {
            summary::put(incident)?.lay_out(batch);
        }
        if before.is_none() {
            number::take(incident.number)?.lay_out(batch);
            self.next_number = self.next_number.max(incident.number + 1);
        }
        for event in recorded {
            if let Event::Linked(link) = &event.event {
                let key = reference_key(link.plugin.as_str(), &link.kind, &link.id);
                REFERENCES.put(&key, &incident.id)?.lay_out(batch);
            }
        }
        Ok(())
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
        TimerKind::Tally => format!("{}/tally", timer.incident),
        TimerKind::Clear => format!("{}/clear", timer.incident),
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

/// The events as they are kept: each within a store's largest value.
fn record(events: Vec<Event>, by: &Actor, now: Timestamp) -> Vec<Recorded> {
    let one = |event: Event| Recorded {
        at: now,
        by: by.clone(),
        event: event.fitted(),
    };
    events.into_iter().map(one).collect()
}

/// The incident after the events; the very same when there are none, as with most alerts.
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
