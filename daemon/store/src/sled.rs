//! The on-disk store, with sled 0.34.7.
//!
//! sled alone could lose acknowledged writes: on Linux its `flush` starts writing but does not wait
//! for the disk. So every group ends with `sync_data` on the log through our own handle, and
//! unsynced data is never visible to readers. `flush_async` is banned (it can deadlock), and so are
//! sled's transactions (their closure may run twice): one writer, one sled batch per group.

mod disk;
mod group;
mod keys;
mod lanes;
mod open;
mod read;
mod state;
mod value;

use std::path::Path;

use parking_lot::{Mutex, RwLock, RwLockReadGuard, RwLockWriteGuard};
use serde_json::Value;
use tocsin_core::Timestamp;

use self::disk::Disk;
use self::group::Group;
use self::state::State;
use crate::bytes::Encoded;
use crate::feed::{Changed, Window};
use crate::{
    Batch, Claimed, Class, CommandKey, CommitError, Committed, Feed, OutboxKey, OutboxRow,
    Position, Store, StoreError, Stored, StoredEvent, StreamId, Table, TimerKey, TimerRow,
};

/// A store in its own folder. Only one process can open it at a time.
///
/// A commit holds one lock from its first write until the sync is done, so that no reader sees data
/// that a power cut could undo. Reads of one row or command do not wait for it, since every alert
/// needs one: they see the key's value before the commit.
#[derive(Debug)]
pub struct SledStore {
    state: RwLock<State>,
    disk: Disk,
    /// Extended by a synced commit while it holds the lock of `state`.
    feed: Mutex<Window>,
}

impl SledStore {
    /// Opens the store in this folder, and creates it if it is missing.
    ///
    /// # Errors
    /// [`StoreError::InUse`] when another process has it open, [`StoreError::NewerFormat`] when a
    /// newer release wrote it, [`StoreError::Corrupt`] and [`StoreError::Io`].
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        open::open(path)
    }

    /// How many bytes are free on the store's disk.
    ///
    /// # Errors
    /// [`StoreError::Io`] when the file system does not report it.
    pub fn free_bytes(&self) -> Result<u64, StoreError> {
        self.disk.free_bytes()
    }

    /// Checks that there is enough free space to write.
    ///
    /// # Errors
    /// [`StoreError::Full`] when there is less than [`FREE_BYTES_MIN`](crate::FREE_BYTES_MIN), and
    /// [`StoreError::Io`] when the file system does not report it.
    pub fn check_room(&self) -> Result<(), StoreError> {
        self.disk.check_room()
    }

    /// Whether the stream's first value is a chunk, for tests of packing.
    ///
    /// # Errors
    /// [`StoreError::Io`] when the store cannot be read.
    #[cfg(any(test, feature = "conformance"))]
    pub fn is_packed(&self, stream: &StreamId) -> Result<bool, StoreError> {
        let range = keys::event(stream, 1)..keys::past_stream(stream);
        let first = self.disk.db.range(range).values().next().transpose();
        let first = first.map_err(|error| self.disk.io("read", error))?;
        Ok(first.is_some_and(|value| crate::chunk::is_chunk(&value)))
    }

    fn reading(&self) -> Result<RwLockReadGuard<'_, State>, StoreError> {
        let state = self.state.read();
        self.disk.check()?;
        Ok(state)
    }

    /// Runs a change under the lock; any error poisons the store, because memory and disk may
    /// differ from then on.
    fn changing<T>(
        &self,
        change: impl FnOnce(&mut State) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut state = self.state.write();
        self.disk.check()?;
        self.disk.check_room()?;
        let outcome = change(&mut state).map_err(|error| self.disk.poison(error));
        // Without this the writer could reacquire the lock repeatedly while readers starve.
        RwLockWriteGuard::unlock_fair(state);
        outcome
    }

    /// Makes a commit visible in the feed.
    fn publish(&self, changed: Option<Changed>) {
        if let Some(changed) = changed {
            self.feed.lock().push(changed);
        }
    }
}

impl Store for SledStore {
    fn commit(&self, group: Vec<Batch>) -> Result<Vec<Result<Committed, CommitError>>, StoreError> {
        self.disk.check()?;
        if let Some(refusal) = crate::limits::group_too_large(group.len()) {
            return Ok(vec![Err(refusal); group.len()]);
        }
        let bytes: Vec<_> = group.iter().map(Encoded::of).collect();
        self.changing(|state| {
            let mut writes = Group::new(&self.disk, state);
            let mut answers = Vec::with_capacity(group.len());
            for (batch, bytes) in group.into_iter().zip(bytes) {
                let skipped = batch.lacks_need(&answers);
                answers.push(match bytes {
                    _ if skipped => Err(CommitError::Skipped),
                    Ok(bytes) => writes.add(batch, bytes)?,
                    Err(refusal) => Err(refusal),
                });
            }
            self.publish(writes.finish()?);
            Ok(answers)
        })
    }

    fn read_stream(
        &self,
        stream: &StreamId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let _state = self.reading()?;
        read::stream(&self.disk, stream, after, limit)
    }

    fn row(&self, table: Table, key: &str) -> Result<Option<Stored>, StoreError> {
        self.disk.check()?;
        let stored = self.disk.get_synced(&keys::row(table, key))?;
        stored
            .map(|bytes| value::row(&bytes, || format!("row {table:?}/{key}")))
            .transpose()
    }

    fn rows(
        &self,
        table: Table,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Stored)>, StoreError> {
        let _state = self.reading()?;
        read::rows(&self.disk, table, prefix, after, limit)
    }

    fn command_result(&self, key: &CommandKey) -> Result<Option<Value>, StoreError> {
        self.disk.check()?;
        let stored = self.disk.get_synced(&keys::command(&key.0))?;
        stored
            .map(|bytes| value::command(&bytes, &key.0))
            .transpose()
    }

    fn timers_due(&self, now: Timestamp, limit: usize) -> Result<Vec<TimerRow>, StoreError> {
        let _state = self.reading()?;
        read::timers(&self.disk, None, Some(now), limit)
    }

    fn next_timer(&self) -> Result<Option<Timestamp>, StoreError> {
        let _state = self.reading()?;
        read::first_timer(&self.disk)
    }

    fn claim(
        &self,
        class: Class,
        now: Timestamp,
        limit: usize,
        lease_ms: u64,
    ) -> Result<Vec<Claimed>, StoreError> {
        self.changing(|state| {
            let ready = state.lanes_of(class).ready(now, limit);
            let mut group = Group::new(&self.disk, state);
            let claimed: Result<Vec<_>, _> = ready
                .into_iter()
                .filter_map(|key| group.claim(key).transpose())
                .collect();
            let claimed = claimed?;
            self.publish(group.finish()?);
            for claim in &claimed {
                state.lanes(class).lock(&claim.token, now.plus_ms(lease_ms));
            }
            Ok(claimed)
        })
    }

    fn next_ready(&self, class: Class) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.reading()?.lanes_of(class).next_ready())
    }

    fn outbox(
        &self,
        class: Class,
        after: Option<&OutboxKey>,
        limit: usize,
    ) -> Result<Vec<OutboxRow>, StoreError> {
        let _state = self.reading()?;
        read::outbox(&self.disk, class, after, limit)
    }

    fn timers(&self, after: Option<&TimerKey>, limit: usize) -> Result<Vec<TimerRow>, StoreError> {
        let _state = self.reading()?;
        read::timers(&self.disk, after, None, limit)
    }

    fn streams(
        &self,
        after: Option<&StreamId>,
        limit: usize,
    ) -> Result<Vec<(StreamId, u64)>, StoreError> {
        let _state = self.reading()?;
        read::streams(&self.disk, after, limit)
    }

    fn feed(&self, after: Position, limit: usize) -> Result<Feed, StoreError> {
        self.disk.check()?;
        Ok(self.feed.lock().after(after, limit))
    }

    fn feed_position(&self) -> Result<Position, StoreError> {
        self.disk.check()?;
        Ok(self.feed.lock().newest())
    }

    fn expire(&self, now: Timestamp, limit: usize) -> Result<usize, StoreError> {
        self.changing(|state| {
            let doomed = state.expired(now, limit);
            let mut group = Group::new(&self.disk, state);
            for key in &doomed {
                group.forget(key)?;
            }
            self.publish(group.finish()?);
            Ok(doomed.len())
        })
    }

    fn size_bytes(&self) -> Result<u64, StoreError> {
        let _state = self.reading()?;
        self.disk.size_bytes()
    }
}

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;
