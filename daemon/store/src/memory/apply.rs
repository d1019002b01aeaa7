//! Writes of the reference store: check everything, then write everything.

use std::collections::{BTreeMap, BTreeSet};

use tocsin_core::Timestamp;

use super::{Delivery, Inner, Lease};
use crate::bytes::{Encoded, name_of, timer_name};
use crate::chunk;
use crate::feed::Changes;
use crate::{
    Batch, ClaimToken, Claimed, Class, CommitError, Committed, NewDelivery, OutboxKey, OutboxRow,
    Position, RowChange, Settle, Stored, StreamId, TimerKey,
};

impl Inner {
    pub(super) fn commit(
        &mut self,
        batch: Batch,
        changes: &mut Changes,
    ) -> Result<Committed, CommitError> {
        Encoded::of(&batch)?;
        self.check(&batch)?;
        if let Some(command) = batch.command {
            self.commands.insert(command.key.clone(), command);
        }
        if let Some(settle) = batch.settles {
            self.settle(&settle);
        }
        let mut versions = Vec::new();
        for append in batch.appends {
            let is_changed = !append.events.is_empty();
            if is_changed {
                self.streams
                    .entry(append.stream.clone())
                    .or_default()
                    .extend(append.events);
            }
            let version = self.version(&append.stream);
            if is_changed {
                changes.stream(&append.stream, version);
            }
            versions.push(version);
        }
        let mut revisions = Vec::new();
        for row in batch.rows {
            changes.row(row.table, &row.key);
            revisions.push(self.write_row(row));
        }
        let queued = batch.outbox.into_iter().map(|new| self.queue(new));
        let queued = queued.collect();
        for key in &batch.outbox_cancel {
            self.outbox.remove(key);
        }
        for timer in batch.timers_set {
            self.timers.insert(timer.key, timer.payload);
        }
        for key in batch.timers_cancel.iter().chain(&batch.timers_take) {
            self.timers.remove(key);
        }
        for pack in &batch.packs {
            self.pack(&pack.stream);
        }
        Ok(Committed {
            versions,
            revisions,
            queued,
        })
    }

    /// Makes a commit visible in the feed.
    pub(super) fn publish(&mut self, changes: Changes) {
        if !changes.is_empty() {
            let Position(newest) = self.feed.newest();
            self.feed.push(changes.at(Position(newest + 1)));
        }
    }

    fn check(&self, batch: &Batch) -> Result<(), CommitError> {
        if let Some(command) = &batch.command
            && let Some(earlier) = self.commands.get(&command.key)
        {
            return Err(CommitError::Duplicate(earlier.result.clone()));
        }
        if let Some(settle) = &batch.settles {
            let lane = (settle.token.key.class, settle.token.key.lane.clone());
            if self
                .leases
                .get(&lane)
                .is_none_or(|lease| lease.token != settle.token)
            {
                return Err(CommitError::Fenced(name_of(&settle.token.key)));
            }
        }
        let gone = |timer: &&TimerKey| !self.timers.contains_key(timer);
        if let Some(gone) = batch.timers_take.iter().find(gone) {
            return Err(CommitError::TimerTaken(timer_name(gone)));
        }
        let mut appended: BTreeMap<&StreamId, u64> = BTreeMap::new();
        for append in &batch.appends {
            let version = appended
                .entry(&append.stream)
                .or_insert_with(|| self.version(&append.stream));
            CommitError::unless_equal(
                || format!("stream {}", append.stream.0),
                append.expected,
                *version,
            )?;
            *version += append.events.len() as u64;
        }
        for pack in &batch.packs {
            let what = || format!("stream {}", pack.stream.0);
            CommitError::unless_equal(what, pack.expected, self.version(&pack.stream))?;
        }
        for guard in &batch.guards {
            let row = self.rows.get(&(guard.table, guard.key.clone()));
            let what = || format!("row {:?}/{}", guard.table, guard.key);
            CommitError::unless_equal(what, guard.revision, row.map_or(0, |row| row.revision))?;
        }
        Ok(())
    }

    fn version(&self, stream: &StreamId) -> u64 {
        self.streams
            .get(stream)
            .map_or(0, |events| events.len() as u64)
    }

    /// Saves nothing here, but converts the events to chunks and back, so that tests on this store
    /// find events that do not survive it.
    fn pack(&mut self, stream: &StreamId) {
        let Some(events) = self.streams.get_mut(stream) else {
            return;
        };
        let texts: Vec<_> = events
            .iter()
            .map(|it| it.to_string().into_bytes())
            .collect();
        let again = chunk::pack(&texts)
            .into_iter()
            .flat_map(|packed| chunk::unpack(&packed.value).unwrap_or_default())
            .filter_map(|text| serde_json::from_slice(&text).ok());
        *events = again.collect();
    }

    fn write_row(&mut self, change: RowChange) -> u64 {
        let key = (change.table, change.key);
        self.revision += 1;
        match change.value {
            Some(value) => {
                let (revision, expires_at) = (self.revision, change.expires_at);
                self.rows.insert(
                    key,
                    Stored {
                        revision,
                        value: value.into_value(),
                        expires_at,
                    },
                );
            }
            None => {
                self.rows.remove(&key);
            }
        }
        self.revision
    }

    fn queue(&mut self, new: NewDelivery) -> OutboxKey {
        if new.class == Class::State && new.coalesce.is_some() {
            let held = self.leases.get(&(new.class, new.lane.clone()));
            let older = self.outbox.values_mut().filter(|older| {
                older.row.key.class == Class::State
                    && older.row.key.lane == new.lane
                    && older.row.coalesce == new.coalesce
                    && held.is_none_or(|lease| lease.token.key != older.row.key)
            });
            if let Some(newest) = older.last() {
                newest.row.body = new.body;
                return newest.row.key.clone();
            }
        }
        self.seq += 1;
        let key = OutboxKey {
            class: new.class,
            lane: new.lane,
            seq: self.seq,
        };
        let row = OutboxRow {
            key: key.clone(),
            coalesce: new.coalesce,
            not_before: new.not_before,
            created_at: new.created_at,
            attempts: 0,
            body: new.body,
        };
        self.outbox
            .insert(key.clone(), Delivery { row, begun: false });
        key
    }

    fn settle(&mut self, settle: &Settle) {
        let key = &settle.token.key;
        self.leases.remove(&(key.class, key.lane.clone()));
        match settle.retry_at {
            None => {
                self.outbox.remove(key);
            }
            Some(retry_at) => {
                if let Some(delivery) = self.outbox.get_mut(key) {
                    delivery.begun = false;
                    delivery.row.not_before = retry_at;
                }
            }
        }
    }

    pub(super) fn claim(
        &mut self,
        class: Class,
        now: Timestamp,
        limit: usize,
        lease_ms: u64,
    ) -> Vec<Claimed> {
        let mut claimed = Vec::new();
        for key in self.ready(class, now).into_iter().take(limit) {
            self.fence += 1;
            let token = ClaimToken {
                key: key.clone(),
                fence: self.fence,
            };
            let lease = Lease {
                token: token.clone(),
                until: now.plus_ms(lease_ms),
            };
            self.leases.insert((class, key.lane.clone()), lease);
            if let Some(delivery) = self.outbox.get_mut(&key) {
                delivery.row.attempts = delivery.row.attempts.saturating_add(1);
                let interrupted = std::mem::replace(&mut delivery.begun, true);
                claimed.push(Claimed {
                    token,
                    row: delivery.row.clone(),
                    interrupted,
                });
            }
        }
        claimed
    }

    /// The oldest ready row of each unlocked lane; lanes that have waited longest come first.
    fn ready(&self, class: Class, now: Timestamp) -> Vec<OutboxKey> {
        let mut lanes: BTreeMap<&str, (Timestamp, &OutboxKey)> = BTreeMap::new();
        for (key, delivery) in self.outbox.iter().filter(|(key, _)| key.class == class) {
            let lease = self.leases.get(&(class, key.lane.clone()));
            let held = lease.is_some_and(|lease| lease.until > now);
            if held || delivery.row.not_before > now {
                continue;
            }
            let lane = lanes
                .entry(&key.lane)
                .or_insert((delivery.row.not_before, key));
            lane.0 = lane.0.min(delivery.row.not_before);
        }
        let order: BTreeSet<_> = lanes
            .into_iter()
            .map(|(lane, (since, key))| (since, lane, key))
            .collect();
        order.into_iter().map(|(_, _, key)| key.clone()).collect()
    }

    /// Earliest first; of those that expire together, commands before rows.
    pub(super) fn expire(&mut self, now: Timestamp, limit: usize) -> usize {
        let commands = self
            .commands
            .values()
            .map(|command| (command.expires_at, &command.key.0));
        let commands = commands.map(|(at, key)| (at, None, key.clone()));
        let rows = self.rows.iter().filter_map(|((table, key), row)| {
            row.expires_at.map(|at| (at, Some(*table), key.clone()))
        });
        let all: BTreeSet<_> = commands.chain(rows).filter(|(at, ..)| *at <= now).collect();
        let doomed: Vec<_> = all.into_iter().take(limit).collect();
        let mut changes = Changes::default();
        for (_, table, key) in &doomed {
            match table {
                None => drop(self.commands.remove(&crate::CommandKey(key.clone()))),
                Some(table) => {
                    changes.row(*table, key);
                    self.rows.remove(&(*table, key.clone()));
                }
            }
        }
        self.publish(changes);
        doomed.len()
    }
}
