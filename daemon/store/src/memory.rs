//! The reference implementation: a simple in-memory store. Other stores are tested against it, and
//! scenarios run on it because it is fast.

mod apply;
mod read;

use std::collections::BTreeMap;

use parking_lot::Mutex;
use serde_json::Value;
use tocsin_core::Timestamp;

use crate::feed::{Changes, Window};
use crate::{
    Batch, ClaimToken, Claimed, Class, CommandKey, CommandResult, CommitError, Committed, Feed,
    OutboxKey, OutboxRow, Position, Store, StoreError, Stored, StoredEvent, StreamId, Table,
    TimerKey, TimerRow,
};

/// An in-memory store: the reference for the behavior of every store.
#[derive(Debug, Default)]
pub struct MemoryStore {
    inner: Mutex<Inner>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The state after a crash at this moment: everything committed, no leases, and only the
    /// position of the feed.
    #[must_use]
    pub fn crash_copy(&self) -> Self {
        let mut inner = self.inner.lock().clone();
        inner.leases.clear();
        inner.feed = Window::begin(inner.feed.newest());
        Self {
            inner: Mutex::new(inner),
        }
    }
}

#[derive(Clone, Debug, Default)]
struct Inner {
    streams: BTreeMap<StreamId, Vec<Value>>,
    rows: BTreeMap<(Table, String), Stored>,
    commands: BTreeMap<CommandKey, CommandResult>,
    timers: BTreeMap<TimerKey, Value>,
    outbox: BTreeMap<OutboxKey, Delivery>,
    leases: BTreeMap<(Class, String), Lease>,
    revision: u64,
    fence: u64,
    /// The number of the last queued delivery.
    seq: u64,
    feed: Window,
}

#[derive(Clone, Debug)]
struct Delivery {
    row: OutboxRow,
    /// An attempt started and was not settled.
    begun: bool,
}

#[derive(Clone, Debug)]
struct Lease {
    token: ClaimToken,
    until: Timestamp,
}

impl Store for MemoryStore {
    fn commit(&self, group: Vec<Batch>) -> Result<Vec<Result<Committed, CommitError>>, StoreError> {
        let mut inner = self.inner.lock();
        if let Some(refusal) = crate::limits::group_too_large(group.len()) {
            return Ok(vec![Err(refusal); group.len()]);
        }
        let mut changes = Changes::default();
        let mut results = Vec::with_capacity(group.len());
        for batch in group {
            let result = if batch.lacks_need(&results) {
                Err(CommitError::Skipped)
            } else {
                inner.commit(batch, &mut changes)
            };
            results.push(result);
        }
        inner.publish(changes);
        Ok(results)
    }

    fn read_stream(
        &self,
        stream: &StreamId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        Ok(self.inner.lock().read_stream(stream, after, limit))
    }

    fn row(&self, table: Table, key: &str) -> Result<Option<Stored>, StoreError> {
        Ok(self
            .inner
            .lock()
            .rows
            .get(&(table, key.to_owned()))
            .cloned())
    }

    fn rows(
        &self,
        table: Table,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Stored)>, StoreError> {
        Ok(self.inner.lock().rows(table, prefix, after, limit))
    }

    fn command_result(&self, key: &CommandKey) -> Result<Option<Value>, StoreError> {
        Ok(self
            .inner
            .lock()
            .commands
            .get(key)
            .map(|command| command.result.clone()))
    }

    fn timers_due(&self, now: Timestamp, limit: usize) -> Result<Vec<TimerRow>, StoreError> {
        Ok(self.inner.lock().timers_due(now, limit))
    }

    fn next_timer(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.inner.lock().timers.keys().next().map(|key| key.due))
    }

    fn claim(
        &self,
        class: Class,
        now: Timestamp,
        limit: usize,
        lease_ms: u64,
    ) -> Result<Vec<Claimed>, StoreError> {
        Ok(self.inner.lock().claim(class, now, limit, lease_ms))
    }

    fn next_ready(&self, class: Class) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.inner.lock().next_ready(class))
    }

    fn outbox(
        &self,
        class: Class,
        after: Option<&OutboxKey>,
        limit: usize,
    ) -> Result<Vec<OutboxRow>, StoreError> {
        Ok(self.inner.lock().outbox(class, after, limit))
    }

    fn timers(&self, after: Option<&TimerKey>, limit: usize) -> Result<Vec<TimerRow>, StoreError> {
        Ok(self.inner.lock().timers(after, limit))
    }

    fn streams(
        &self,
        after: Option<&StreamId>,
        limit: usize,
    ) -> Result<Vec<(StreamId, u64)>, StoreError> {
        Ok(self.inner.lock().streams(after, limit))
    }

    fn feed(&self, after: Position, limit: usize) -> Result<Feed, StoreError> {
        Ok(self.inner.lock().feed.after(after, limit))
    }

    fn feed_position(&self) -> Result<Position, StoreError> {
        Ok(self.inner.lock().feed.newest())
    }

    fn expire(&self, now: Timestamp, limit: usize) -> Result<usize, StoreError> {
        Ok(self.inner.lock().expire(now, limit))
    }

    fn size_bytes(&self) -> Result<u64, StoreError> {
        Ok(0)
    }
}

#[cfg(test)]
mod tests;
