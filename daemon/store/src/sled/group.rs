//! One commit group: batches are checked in order against the tree overlaid with the group's own
//! earlier writes, and are synced together.

mod check;
mod pack;

use std::collections::HashMap;

use sled::IVec;
use tocsin_core::Timestamp;

use super::disk::{Disk, Found, Writes};
use super::keys;
use super::open::FORMAT;
use super::state::State;
use super::value::{self, Delivery, RowHead};
use crate::bytes::{Encoded, name_of};
use crate::feed::{Changed, Changes};
use crate::{
    Append, Batch, ClaimToken, Claimed, Class, CommitError, Committed, NewDelivery, OutboxKey,
    Position, RowChange, Settle, StoreError, StreamId,
};

/// Bytes after which a group's writes are passed to sled, so that a long group is not in memory
/// twice. Each batch is still in one write.
const WRITE_BYTES: usize = 1024 * 1024;

pub(super) struct Group<'a> {
    disk: &'a Disk,
    state: &'a mut State,
    writes: Writes,
    /// The values of rows and commands in the tree before the group's writes.
    found: Found,
    versions: HashMap<StreamId, u64>,
    changes: Changes,
    bytes: usize,
    written: bool,
}

type Answer = Result<Committed, CommitError>;

impl<'a> Group<'a> {
    pub(super) fn new(disk: &'a Disk, state: &'a mut State) -> Self {
        let (writes, versions) = (Writes::new(), HashMap::new());
        Self {
            disk,
            state,
            writes,
            found: Found::new(),
            versions,
            changes: Changes::default(),
            bytes: 0,
            written: false,
        }
    }

    /// Checks a batch and adds its writes. The outer error is the store's, the inner one the
    /// batch's.
    pub(super) fn add(&mut self, batch: Batch, bytes: Encoded) -> Result<Answer, StoreError> {
        if let Err(refusal) = self.check(&batch)? {
            return Ok(Err(refusal));
        }
        if let (Some(command), Some(json)) = (batch.command, bytes.command) {
            let key = keys::command(&command.key.0);
            self.state.expiry(&key, None, Some(command.expires_at));
            self.put(key, value::write_command(command.expires_at, &json));
        }
        if let Some(settle) = batch.settles {
            self.settle(&settle)?;
        }
        let mut versions = Vec::with_capacity(batch.appends.len());
        for (append, events) in batch.appends.into_iter().zip(bytes.appends) {
            versions.push(self.append(append, events)?);
        }
        let mut revisions = Vec::with_capacity(batch.rows.len());
        for (row, json) in batch.rows.into_iter().zip(bytes.rows) {
            revisions.push(self.write_row(&row, json)?);
        }
        let mut queued = Vec::with_capacity(batch.outbox.len());
        for (new, body) in batch.outbox.into_iter().zip(bytes.outbox) {
            queued.push(self.queue(new, body)?);
        }
        for key in &batch.outbox_cancel {
            self.state.lanes(key.class).remove(key);
            self.remove(keys::outbox(key));
        }
        for (timer, payload) in batch.timers_set.iter().zip(bytes.timers) {
            self.put(keys::timer(&timer.key), payload);
        }
        for key in batch.timers_cancel.iter().chain(&batch.timers_take) {
            self.remove(keys::timer(key));
        }
        for pack in &batch.packs {
            self.pack(&pack.stream)?;
        }
        if self.bytes > WRITE_BYTES {
            self.write()?;
        }
        Ok(Ok(Committed {
            versions,
            revisions,
            queued,
        }))
    }

    /// Writes everything to disk with one sync, and returns the changes.
    pub(super) fn finish(mut self) -> Result<Option<Changed>, StoreError> {
        self.write()?;
        if self.written {
            self.disk.sync()?;
        }
        let position = Position(self.state.counters.position);
        Ok((!self.changes.is_empty()).then(|| self.changes.at(position)))
    }

    /// Starts an attempt; `None` when the row no longer exists.
    pub(super) fn claim(&mut self, key: OutboxKey) -> Result<Option<Claimed>, StoreError> {
        let Some(mut delivery) = self.delivery(&key)? else {
            return Ok(None);
        };
        let interrupted = std::mem::replace(&mut delivery.begun, true);
        delivery.attempts = delivery.attempts.saturating_add(1);
        self.put(keys::outbox(&key), delivery.write());
        let fence = &mut self.state.counters.fence;
        *fence += 1;
        let token = ClaimToken {
            key: key.clone(),
            fence: *fence,
        };
        Ok(Some(Claimed {
            token,
            row: delivery.into_row(key)?,
            interrupted,
        }))
    }

    /// Removes an expired command or row, by its key on disk.
    pub(super) fn forget(&mut self, key: &[u8]) -> Result<(), StoreError> {
        let old = self.expires_at(key)?;
        self.state.expiry(key, old, None);
        self.remove(key.to_vec());
        if let Some((table, name)) = keys::read_row(key) {
            self.changes().row(table, name);
        }
        Ok(())
    }

    /// Where to record a change. The first one allocates the group's position, which is written
    /// with it.
    fn changes(&mut self) -> &mut Changes {
        if self.changes.is_empty() {
            self.state.counters.position += 1;
        }
        &mut self.changes
    }

    fn version(&mut self, stream: &StreamId) -> Result<u64, StoreError> {
        if let Some(version) = self.versions.get(stream) {
            return Ok(*version);
        }
        let version = super::read::version(self.disk, stream)?;
        self.versions.insert(stream.clone(), version);
        Ok(version)
    }

    fn append(&mut self, append: Append, events: Vec<Vec<u8>>) -> Result<u64, StoreError> {
        let before = self.version(&append.stream)?;
        let mut version = before;
        for event in events {
            version += 1;
            self.put(keys::event(&append.stream, version), event);
        }
        if version > before {
            self.changes().stream(&append.stream, version);
        }
        self.versions.insert(append.stream, version);
        Ok(version)
    }

    fn write_row(&mut self, row: &RowChange, json: Option<Vec<u8>>) -> Result<u64, StoreError> {
        let key = keys::row(row.table, &row.key);
        let old = self.expires_at(&key)?;
        let expires_at = json.as_ref().and(row.expires_at);
        self.state.expiry(&key, old, expires_at);
        self.changes().row(row.table, &row.key);
        self.state.counters.revision += 1;
        let revision = self.state.counters.revision;
        match json {
            Some(json) => self.put(
                key,
                value::write_row(
                    &RowHead {
                        revision,
                        expires_at,
                    },
                    &json,
                ),
            ),
            None => self.remove(key),
        }
        Ok(revision)
    }

    fn queue(&mut self, new: NewDelivery, body: Vec<u8>) -> Result<OutboxKey, StoreError> {
        let mut key = OutboxKey {
            class: new.class,
            lane: new.lane,
            seq: 0,
        };
        if let (Class::State, Some(name)) = (key.class, &new.coalesce)
            && let Some(seq) = self.state.lanes_of(key.class).newest_of(&key.lane, name)
        {
            key.seq = seq;
            if let Some(older) = self.delivery(&key)? {
                self.put(keys::outbox(&key), Delivery { body, ..older }.write());
                return Ok(key);
            }
        }
        self.state.counters.seq += 1;
        key.seq = self.state.counters.seq;
        let delivery = Delivery {
            begun: false,
            not_before: new.not_before,
            created_at: new.created_at,
            attempts: 0,
            coalesce: new.coalesce.clone(),
            body,
        };
        self.put(keys::outbox(&key), delivery.write());
        let lanes = self.state.lanes(key.class);
        lanes.put(&key, new.not_before, new.coalesce);
        Ok(key)
    }

    fn settle(&mut self, settle: &Settle) -> Result<(), StoreError> {
        let key = &settle.token.key;
        self.state.lanes(key.class).unlock(&key.lane);
        match (settle.retry_at, self.delivery(key)?) {
            (Some(retry_at), Some(delivery)) => {
                let name = delivery.coalesce.clone();
                self.state.lanes(key.class).put(key, retry_at, name);
                let again = Delivery {
                    begun: false,
                    not_before: retry_at,
                    ..delivery
                };
                self.put(keys::outbox(key), again.write());
            }
            (None, Some(_)) => {
                self.state.lanes(key.class).remove(key);
                self.remove(keys::outbox(key));
            }
            (_, None) => {}
        }
        Ok(())
    }

    fn delivery(&self, key: &OutboxKey) -> Result<Option<Delivery>, StoreError> {
        let stored = self.get(&keys::outbox(key))?;
        let what = || format!("delivery {}", name_of(key));
        stored.map(|bytes| Delivery::read(&bytes, what)).transpose()
    }

    fn expires_at(&mut self, key: &[u8]) -> Result<Option<Timestamp>, StoreError> {
        let bytes = self.get(key)?;
        if !self.writes.contains_key(key) {
            self.found.insert(key.to_vec(), bytes.clone());
        }
        let Some(bytes) = bytes else {
            return Ok(None);
        };
        if key.first() == Some(&keys::COMMAND) {
            return Ok(value::command_expires(&bytes));
        }
        let what = || format!("row {}", String::from_utf8_lossy(key));
        Ok(value::row_head(&bytes, what)?.expires_at)
    }

    fn get(&self, key: &[u8]) -> Result<Option<IVec>, StoreError> {
        match self.writes.get(key) {
            Some(written) => Ok(written.clone()),
            None => self.disk.get(key),
        }
    }

    fn put(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.bytes += key.len() + value.len();
        self.writes.insert(key, Some(value.into()));
    }

    fn remove(&mut self, key: Vec<u8>) {
        self.bytes += key.len();
        self.writes.insert(key, None);
    }

    /// Passes the writes to sled, with the counters after them. The first write upgrades the store
    /// to this format, since an earlier release must not read such counters; merely opening a store
    /// does not, so that a downgrade is still possible.
    fn write(&mut self) -> Result<(), StoreError> {
        if self.writes.is_empty() {
            return Ok(());
        }
        let format = FORMAT.to_be_bytes();
        if self.get(keys::FORMAT)?.is_none_or(|it| it[..] != format) {
            self.put(keys::FORMAT.to_vec(), format.to_vec());
        }
        self.put(keys::COUNTERS.to_vec(), self.state.counters.write());
        self.bytes = 0;
        self.written = true;
        let (writes, found) = (&mut self.writes, &mut self.found);
        self.disk
            .write(std::mem::take(writes), std::mem::take(found))
    }
}
