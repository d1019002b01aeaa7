//! One commit group: batches are checked in order against the tree with the group's own earlier
//! writes laid over it, and reach the disk together.

use std::collections::{BTreeMap, HashMap};

use sled::IVec;
use tocsin_core::Timestamp;

use super::disk::{Disk, Found, Writes};
use super::keys;
use super::open::FORMAT;
use super::state::State;
use super::value::{self, Delivery, RowHead};
use crate::bytes::{Encoded, name_of};
use crate::chunk;
use crate::{
    Append, Batch, ClaimToken, Claimed, Class, CommandKey, CommitError, Committed, OutboxKey,
    OutboxRow, PACK_VALUES_MAX, Pack, RowChange, Settle, StoreError, StreamId,
};

/// Bytes after which a group's writes go to sled before more are taken, so that a long group
/// does not stand in memory twice. Each batch is still whole in one write.
const WRITE_BYTES: usize = 1024 * 1024;

pub(super) struct Group<'a> {
    disk: &'a Disk,
    state: &'a mut State,
    writes: Writes,
    /// Rows and commands as the tree holds them until the writes go there.
    found: Found,
    versions: HashMap<StreamId, u64>,
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
            bytes: 0,
            written: false,
        }
    }

    /// Checks a batch and takes its writes. The outer error is the store's, the inner one the
    /// batch's own.
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
        for (row, json) in batch.rows.into_iter().zip(bytes.rows) {
            self.write_row(&row, json)?;
        }
        for (row, body) in batch.outbox.into_iter().zip(bytes.outbox) {
            self.queue(row, body)?;
        }
        for key in &batch.outbox_cancel {
            self.state.lanes(key.class).remove(key);
            self.remove(keys::outbox(key));
        }
        for (timer, payload) in batch.timers_set.iter().zip(bytes.timers) {
            self.put(keys::timer(&timer.key), payload);
        }
        for key in &batch.timers_cancel {
            self.remove(keys::timer(key));
        }
        for pack in &batch.packs {
            self.pack(&pack.stream)?;
        }
        if self.bytes > WRITE_BYTES {
            self.write()?;
        }
        Ok(Ok(Committed { versions }))
    }

    /// Brings everything to the disk, with one sync.
    pub(super) fn finish(mut self) -> Result<(), StoreError> {
        self.write()?;
        if self.written {
            self.disk.sync()
        } else {
            Ok(())
        }
    }

    /// Begins an attempt; `None` when the row is gone.
    pub(super) fn claim(&mut self, key: OutboxKey) -> Result<Option<Claimed>, StoreError> {
        let Some(mut delivery) = self.delivery(&key)? else {
            return Ok(None);
        };
        let interrupted = std::mem::replace(&mut delivery.begun, true);
        delivery.attempts = delivery.attempts.saturating_add(1);
        self.put(keys::outbox(&key), delivery.write());
        self.state.fence += 1;
        let token = ClaimToken {
            key: key.clone(),
            fence: self.state.fence,
        };
        Ok(Some(Claimed {
            token,
            row: delivery.into_row(key)?,
            interrupted,
        }))
    }

    /// Removes a command or row whose time has come, by its key on the disk.
    pub(super) fn forget(&mut self, key: &[u8]) -> Result<(), StoreError> {
        let old = self.expires_at(key)?;
        self.state.expiry(key, old, None);
        self.remove(key.to_vec());
        Ok(())
    }

    fn check(&mut self, batch: &Batch) -> Result<Result<(), CommitError>, StoreError> {
        if let Some(command) = &batch.command
            && let Some(answer) = self.result_of(&command.key)?
        {
            return Ok(Err(CommitError::Duplicate(answer)));
        }
        if let Some(Settle { token, .. }) = &batch.settles
            && !self.state.lanes_of(token.key.class).holds(token)
        {
            return Ok(Err(CommitError::Fenced(name_of(&token.key))));
        }
        let mut appended = HashMap::new();
        for Append {
            stream,
            expected,
            events,
        } in &batch.appends
        {
            let found = match appended.get(stream) {
                Some(version) => *version,
                None => self.version(stream)?,
            };
            if found != *expected {
                let (what, expected) = (format!("stream {}", stream.0), *expected);
                return Ok(Err(CommitError::Conflict {
                    what,
                    expected,
                    found,
                }));
            }
            appended.insert(stream, found + events.len() as u64);
        }
        for Pack { stream, expected } in &batch.packs {
            let found = self.version(stream)?;
            if found != *expected {
                let (what, expected) = (format!("stream {}", stream.0), *expected);
                return Ok(Err(CommitError::Conflict {
                    what,
                    expected,
                    found,
                }));
            }
        }
        for guard in &batch.guards {
            let what = || format!("row {:?}/{}", guard.table, guard.key);
            let row = self.get(&keys::row(guard.table, &guard.key))?;
            let head = row.map(|bytes| value::row_head(&bytes, what)).transpose()?;
            let found = head.map_or(0, |head| head.revision);
            if found != guard.revision {
                let expected = guard.revision;
                return Ok(Err(CommitError::Conflict {
                    what: what(),
                    expected,
                    found,
                }));
            }
        }
        Ok(Ok(()))
    }

    fn result_of(&self, key: &CommandKey) -> Result<Option<serde_json::Value>, StoreError> {
        let stored = self.get(&keys::command(&key.0))?;
        stored
            .map(|bytes| value::command(&bytes, &key.0))
            .transpose()
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
        let mut version = self.version(&append.stream)?;
        for event in events {
            version += 1;
            self.put(keys::event(&append.stream, version), event);
        }
        self.versions.insert(append.stream, version);
        Ok(version)
    }

    /// Lays the values of a stream together. What is chunks already is left alone, and so is a
    /// damaged stream: `verify` must find it as it is.
    fn pack(&mut self, stream: &StreamId) -> Result<(), StoreError> {
        let values = self.values(stream)?;
        if values.len() < 2 || values.values().all(|value| chunk::is_chunk(value)) {
            return Ok(());
        }
        let Some(events) = events_of(&values) else {
            return Ok(());
        };
        self.mark_format()?;
        for key in values.into_keys() {
            self.remove(key);
        }
        let mut version = 0;
        for packed in chunk::pack(&events) {
            version += packed.events;
            self.put(keys::event(stream, version), packed.value);
        }
        Ok(())
    }

    /// A release that knows no chunks must not read a store that has one. A store without any
    /// keeps its format, so that whoever only looked at it can still go back.
    fn mark_format(&mut self) -> Result<(), StoreError> {
        let format = FORMAT.to_be_bytes();
        if self.get(keys::FORMAT)?.is_none_or(|it| it[..] != format) {
            self.put(keys::FORMAT.to_vec(), format.to_vec());
        }
        Ok(())
    }

    /// The first [`PACK_VALUES_MAX`] values of a stream as the group has left it so far.
    fn values(&self, stream: &StreamId) -> Result<BTreeMap<Vec<u8>, IVec>, StoreError> {
        let (begin, mut end) = (keys::event(stream, 1), keys::past_stream(stream));
        let mut values = BTreeMap::new();
        for entry in self.disk.db.range(begin.clone()..end.clone()) {
            let (key, value) = entry.map_err(|error| self.disk.io("read", error))?;
            if values.len() == PACK_VALUES_MAX {
                end = key.to_vec();
                break;
            }
            values.insert(key.to_vec(), value);
        }
        for (key, written) in self.writes.range(begin..end) {
            match written {
                Some(value) => values.insert(key.clone(), value.clone()),
                None => values.remove(key),
            };
        }
        Ok(values)
    }

    fn write_row(&mut self, row: &RowChange, json: Option<Vec<u8>>) -> Result<(), StoreError> {
        let key = keys::row(row.table, &row.key);
        let old = self.expires_at(&key)?;
        let expires_at = json.as_ref().and(row.expires_at);
        self.state.expiry(&key, old, expires_at);
        self.state.revision += 1;
        let revision = self.state.revision;
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
        Ok(())
    }

    fn queue(&mut self, row: OutboxRow, body: Vec<u8>) -> Result<(), StoreError> {
        let mut key = row.key;
        if let (Class::State, Some(name)) = (key.class, &row.coalesce)
            && let Some(seq) = self.state.lanes_of(key.class).newest_of(&key.lane, name)
        {
            key.seq = seq;
            if let Some(older) = self.delivery(&key)? {
                self.put(keys::outbox(&key), Delivery { body, ..older }.write());
                return Ok(());
            }
        }
        let OutboxRow {
            coalesce,
            not_before,
            created_at,
            attempts,
            ..
        } = row;
        self.state
            .lanes(key.class)
            .put(&key, not_before, coalesce.clone());
        let delivery = Delivery {
            begun: false,
            not_before,
            created_at,
            attempts,
            coalesce,
            body,
        };
        self.put(keys::outbox(&key), delivery.write());
        Ok(())
    }

    fn settle(&mut self, settle: &Settle) -> Result<(), StoreError> {
        let key = &settle.token.key;
        self.state.lanes(key.class).release(&key.lane);
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

    /// Hands the writes to sled, with the counters as they stand after them.
    fn write(&mut self) -> Result<(), StoreError> {
        if self.writes.is_empty() {
            return Ok(());
        }
        let counters = [
            self.state.revision.to_be_bytes(),
            self.state.fence.to_be_bytes(),
        ];
        self.put(keys::COUNTERS.to_vec(), counters.concat());
        self.bytes = 0;
        self.written = true;
        let (writes, found) = (&mut self.writes, &mut self.found);
        self.disk
            .write(std::mem::take(writes), std::mem::take(found))
    }
}

/// The JSON of every event in the values of a stream; `None` when one is damaged or missing.
fn events_of(values: &BTreeMap<Vec<u8>, IVec>) -> Option<Vec<Vec<u8>>> {
    let mut events = Vec::new();
    for (key, value) in values {
        events.extend(chunk::unpack(value).ok()?);
        let (_, version) = keys::read_event(key)?;
        if version != events.len() as u64 {
            return None;
        }
    }
    Some(events)
}
