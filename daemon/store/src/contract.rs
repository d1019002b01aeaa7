//! What every store does; the conformance suite tests it.

use tocsin_core::Timestamp;

use crate::{
    Batch, Claimed, Class, CommandKey, CommitError, Committed, Feed, OutboxKey, OutboxRow,
    Position, StoreError, Stored, StoredEvent, StreamId, Table, TimerKey, TimerRow,
};

/// A durable store.
///
/// All calls block, and all may be made from any thread, so several engines can use one store. A
/// read sees every commit that has returned, and never a partial one.
pub trait Store: Send + Sync {
    /// Commits the batches in order with one flush to the disk, and returns a result for each. A
    /// conflict fails only its own batch; later batches see the earlier ones of the same call. When
    /// this returns, the committed batches survive a power cut.
    ///
    /// # Errors
    /// The outer error means that the outcome of the whole group is unknown and the store is
    /// poisoned: every later call fails with [`StoreError::Poisoned`], and the daemon must stop.
    fn commit(&self, group: Vec<Batch>) -> Result<Vec<Result<Committed, CommitError>>, StoreError>;

    /// The events of a stream after version `after` (0: from the start), at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    fn read_stream(
        &self,
        stream: &StreamId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<StoredEvent>, StoreError>;

    /// One row of a table.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    fn row(&self, table: Table, key: &str) -> Result<Option<Stored>, StoreError>;

    /// The rows of a table whose key starts with `prefix`, after key `after`, in byte order, at
    /// most `limit`.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    fn rows(
        &self,
        table: Table,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Stored)>, StoreError>;

    /// The result of an earlier commit with this command key, until it expires.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    fn command_result(&self, key: &CommandKey) -> Result<Option<serde_json::Value>, StoreError>;

    /// The timers due at `now` or before, earliest first, at most `limit`. They stay set until a
    /// batch takes or cancels them.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    fn timers_due(&self, now: Timestamp, limit: usize) -> Result<Vec<TimerRow>, StoreError>;

    /// When the next timer is due, if there is one.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    fn next_timer(&self) -> Result<Option<Timestamp>, StoreError>;

    /// Claims up to `limit` rows of a class that are ready at `now`: the oldest ready row of each
    /// unlocked lane, lanes that have waited longest first. A row that waits for its retry does not
    /// block its lane: a page must not wait for another page's backoff. A claim locks its whole
    /// lane until it is settled, or `lease_ms` have passed and another claim took it. The claim and
    /// the row's attempt count are durable when this returns, so that interrupted deliveries can be
    /// detected after a crash.
    ///
    /// # Errors
    /// [`StoreError`]; a write error poisons the store as in [`commit`](Self::commit).
    fn claim(
        &self,
        class: Class,
        now: Timestamp,
        limit: usize,
        lease_ms: u64,
    ) -> Result<Vec<Claimed>, StoreError>;

    /// When the next row of a class is ready to be claimed, if one waits. A locked lane is ready
    /// when its lease ends, so that the rows of a dead worker are claimed again.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    fn next_ready(&self, class: Class) -> Result<Option<Timestamp>, StoreError>;

    /// The rows of the outbox, claimed or not, in key order after `after`, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    fn outbox(
        &self,
        class: Class,
        after: Option<&OutboxKey>,
        limit: usize,
    ) -> Result<Vec<OutboxRow>, StoreError>;

    /// All timers in due order after `after`, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    fn timers(&self, after: Option<&TimerKey>, limit: usize) -> Result<Vec<TimerRow>, StoreError>;

    /// All streams with their versions, in byte order of names after `after`, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    fn streams(
        &self,
        after: Option<&StreamId>,
        limit: usize,
    ) -> Result<Vec<(StreamId, u64)>, StoreError>;

    /// The changes after a position: at most `limit` commits, and at most [`FEED_CHANGES_MAX`]
    /// changes unless the first commit alone has more. Commits that changed no stream or row have
    /// no position. Nothing ever appears at or below a position that was returned, here or by
    /// [`feed_position`](Self::feed_position), and later reads are at least as new.
    ///
    /// A store keeps at most [`FEED_COMMITS_KEPT`] commits and [`FEED_CHANGES_KEPT`] changes, and
    /// need not keep any across a restart. A reader that is further behind gets [`Feed::Expired`],
    /// never a gap.
    ///
    /// [`FEED_CHANGES_MAX`]: crate::FEED_CHANGES_MAX
    /// [`FEED_COMMITS_KEPT`]: crate::FEED_COMMITS_KEPT
    /// [`FEED_CHANGES_KEPT`]: crate::FEED_CHANGES_KEPT
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    fn feed(&self, after: Position, limit: usize) -> Result<Feed, StoreError>;

    /// The newest position of the feed; cheap enough to call for every decision. To cache
    /// something, call this before reading it.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    fn feed_position(&self) -> Result<Position, StoreError>;

    /// Removes command keys and rows whose `expires_at` has passed, at most `limit`, and returns
    /// how many.
    ///
    /// # Errors
    /// [`StoreError`]; a write error poisons the store.
    fn expire(&self, now: Timestamp, limit: usize) -> Result<usize, StoreError>;

    /// How many bytes the store uses on disk; 0 in memory.
    ///
    /// # Errors
    /// [`StoreError`] when the size cannot be read.
    fn size_bytes(&self) -> Result<u64, StoreError>;
}
