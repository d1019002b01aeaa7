//! How a change of an incident is laid out in a batch: its events, its rows, the timers that it
//! wants now and wanted before, and the deliveries that tell of it.

use std::sync::Arc;

use serde::Serialize;
use tocsin_core::command::{Command, Outcome};
use tocsin_core::consequences::{Notice, Timer, TimerKind, notices, wanted_timers};
use tocsin_core::event::{Event, Recorded};
use tocsin_core::incident::Incident;
use tocsin_core::{Actor, IncidentId, Timestamp, decide};
use tocsin_store::encoding::encode;
use tocsin_store::{Append, RowChange, RowValue, Table, TimerKey, TimerRow};

use super::engine::{Engine, NUMBER_ROW};
use super::plan::Planned;
use super::request::EngineError;
use super::summary::Summary;
use super::view::{Held, stream_of};

/// The kind of a timer row that belongs to the core.
pub(super) const CORE_TIMER: &str = "incident";
/// Contacts that nobody brings any more which are passed over in one batch.
const UNREACHED_MAX: usize = 64;

/// What happens to one incident.
pub(super) struct Change<'a> {
    pub(super) id: &'a IncidentId,
    pub(super) by: &'a Actor,
    pub(super) opens: bool,
    pub(super) outcome: Outcome,
}

impl Engine {
    /// Lays out what happens to an incident, and notes how it will stand.
    pub(super) fn lay_out_change(
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
                outcome_unknown: false,
            };
            let Ok(more) = decide(&after, &tally, command, by, now, &self.waits) else {
                break;
            };
            recorded.extend(record(more.events, &Actor::Tocsin, now));
            after = advance(id, before.as_deref(), &recorded)?;
            news = notices(was, &after, &recorded, &outcome.settle_pages);
        }
        self.write_events(id, was, &recorded, planned)?;
        self.write_timers(before.as_deref(), &after, &tally, planned)?;
        self.write_news(id, &after, &news, now, planned);
        let held = Arc::new(Held {
            incident: after,
            tally,
        });
        self.write_rows(before.as_deref(), &held, &recorded, planned)?;
        planned.done.incident = Some(Arc::clone(&held.incident));
        planned.done.opened = opens;
        planned.done.events = recorded.len();
        self.scratch.wrote_incident(id);
        self.held.insert(id.clone(), Arc::clone(&held));
        planned.held.push(held);
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
                    .pages
                    .get(page)
                    .is_some_and(|it| it.is_wanted_at(*contact));
                let is_brought = channel == super::parcel::MAIL_CHANNEL
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
        before: Option<&Held>,
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
                    .pages
                    .get(page)
                    .is_some_and(|it| it.is_wanted_at(*contact));
                if !is_wanted {
                    continue;
                }
            }
            let next_seq = self.next_seq_mut();
            let rows = subscribers.rows(id, notice, now, || Self::seq(next_seq));
            planned.batch.outbox.extend(rows);
        }
    }

    fn write_rows(
        &mut self,
        before: Option<&Held>,
        held: &Held,
        recorded: &[Recorded],
        planned: &mut Planned,
    ) -> Result<(), EngineError> {
        let incident = &held.incident;
        let rows = &mut planned.batch.rows;
        if before.is_none_or(|it| it.tally != held.tally) {
            rows.push(row_change(
                Table::Tally,
                incident.id.to_string(),
                &held.tally,
            )?);
        }
        if !recorded.is_empty() {
            let key = Summary::row_key(incident.number);
            rows.push(row_change(
                Table::Summary,
                key,
                &Summary::from(incident.as_ref()),
            )?);
        }
        if before.is_none() {
            rows.push(row_change(
                Table::Meta,
                NUMBER_ROW.to_owned(),
                &incident.number,
            )?);
            self.next_number = self.next_number.max(incident.number + 1);
        }
        for event in recorded {
            if let Event::Linked(link) = &event.event {
                let key = reference_key(link.plugin.as_str(), &link.kind, &link.id);
                rows.push(row_change(Table::Reference, key, &incident.id)?);
            }
        }
        Ok(())
    }
}

/// The row key of what an incident is called elsewhere.
#[must_use]
pub fn reference_key(plugin: &str, kind: &str, id: &str) -> String {
    format!("{plugin}/{kind}/{id}")
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

pub(super) fn row_change<T: Serialize>(
    table: Table,
    key: String,
    value: &T,
) -> Result<RowChange, EngineError> {
    let value = RowValue::text_of(value)
        .map_err(|error| EngineError::Damaged(format!("{table:?} row {key}: {error}")))?;
    Ok(RowChange {
        table,
        key,
        value: Some(value),
        expires_at: None,
    })
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
    before: Option<&Held>,
    recorded: &[Recorded],
) -> Result<Arc<Incident>, EngineError> {
    match before {
        Some(held) if recorded.is_empty() => Ok(Arc::clone(&held.incident)),
        Some(held) => {
            let before = held.incident.as_ref().clone();
            Ok(Arc::new(recorded.iter().fold(before, Incident::fold)))
        }
        None => match Incident::replay(id, recorded) {
            Ok(incident) => Ok(Arc::new(incident)),
            Err(error) => Err(EngineError::Damaged(error.to_string())),
        },
    }
}
