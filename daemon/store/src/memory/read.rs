//! Reads of the reference store.

use tocsin_core::Timestamp;

use super::Inner;
use crate::{
    Class, OutboxKey, OutboxRow, Stored, StoredEvent, StreamId, Table, TimerKey, TimerRow,
};

impl Inner {
    pub(super) fn read_stream(
        &self,
        stream: &StreamId,
        after: u64,
        limit: usize,
    ) -> Vec<StoredEvent> {
        let events = self.streams.get(stream).map_or(&[][..], Vec::as_slice);
        let numbered = (1..).zip(events).filter(|(version, _)| *version > after);
        let stored = numbered.map(|(version, event)| StoredEvent {
            version,
            event: event.clone(),
        });
        stored.take(limit).collect()
    }

    pub(super) fn rows(
        &self,
        table: Table,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Vec<(String, Stored)> {
        self.rows
            .range((table, prefix.to_owned())..)
            .take_while(|((of, key), _)| *of == table && key.starts_with(prefix))
            .filter(|((_, key), _)| after.is_none_or(|after| key.as_str() > after))
            .map(|((_, key), stored)| (key.clone(), stored.clone()))
            .take(limit)
            .collect()
    }

    pub(super) fn timers_due(&self, now: Timestamp, limit: usize) -> Vec<TimerRow> {
        let due = self.timers.iter().filter(|(key, _)| key.due <= now);
        due.map(timer).take(limit).collect()
    }

    pub(super) fn timers(&self, after: Option<&TimerKey>, limit: usize) -> Vec<TimerRow> {
        let later = self
            .timers
            .iter()
            .filter(|(key, _)| after.is_none_or(|after| *key > after));
        later.map(timer).take(limit).collect()
    }

    pub(super) fn outbox(
        &self,
        class: Class,
        after: Option<&OutboxKey>,
        limit: usize,
    ) -> Vec<OutboxRow> {
        let rows = self.outbox.iter().filter(|(key, _)| key.class == class);
        let later = rows.filter(|(key, _)| after.is_none_or(|after| *key > after));
        later
            .map(|(_, delivery)| delivery.row.clone())
            .take(limit)
            .collect()
    }

    pub(super) fn streams(&self, after: Option<&StreamId>, limit: usize) -> Vec<(StreamId, u64)> {
        let later = self
            .streams
            .iter()
            .filter(|(id, _)| after.is_none_or(|after| *id > after));
        later
            .map(|(id, events)| (id.clone(), events.len() as u64))
            .take(limit)
            .collect()
    }

    /// A locked lane is ready again when its lease ends.
    pub(super) fn next_ready(&self, class: Class) -> Option<Timestamp> {
        let rows = self
            .outbox
            .values()
            .filter(|delivery| delivery.row.key.class == class);
        rows.map(|delivery| {
            let lane = (class, delivery.row.key.lane.clone());
            let held = self.leases.get(&lane).map(|lease| lease.until);
            held.map_or(delivery.row.not_before, |until| {
                until.max(delivery.row.not_before)
            })
        })
        .min()
    }
}

fn timer((key, payload): (&TimerKey, &serde_json::Value)) -> TimerRow {
    TimerRow {
        key: key.clone(),
        payload: payload.clone(),
    }
}
