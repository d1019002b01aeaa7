//! Batches, the atomic writes of a store.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tocsin_core::Timestamp;

use crate::row::{
    ClaimToken, NewDelivery, OutboxKey, RowChange, StreamId, Table, TimerKey, TimerRow,
};

/// Everything that one decision writes, atomically.
///
/// Checks come first: `command`, `settles`, `timers_take`, the expected versions of `appends` and
/// `packs`, and `guards`. Then everything is written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// Events to append, to at most [`APPENDS_MAX`](crate::APPENDS_MAX) streams.
    pub appends: Vec<Append>,
    /// Rows that must be unchanged since they were read.
    pub guards: Vec<Guard>,
    /// Rows to write or remove.
    pub rows: Vec<RowChange>,
    /// Deliveries to queue. Each gets a `seq` above all that the store assigned before, in the
    /// order of commits, batches and rows. A number is never reused, even after its row is removed
    /// or the store is reopened; there may be gaps.
    ///
    /// A delivery of class `State` replaces the body of the newest unclaimed row in its lane with
    /// the same `coalesce` key, if there is one, and is not queued; that row keeps its `seq`, its
    /// times and its attempts.
    pub outbox: Vec<NewDelivery>,
    /// Deliveries to drop; absent ones are ignored. A claimed one is dropped too: its lane stays
    /// locked until the claim is settled, and a retry does not restore it.
    pub outbox_cancel: Vec<OutboxKey>,
    pub timers_set: Vec<TimerRow>,
    /// The timers whose firing caused this batch. They are removed as by `timers_cancel`, but each
    /// must be set: otherwise the batch fails with
    /// [`CommitError::TimerTaken`](crate::CommitError::TimerTaken). So if several engines see a
    /// timer due, only one fires it.
    pub timers_take: Vec<TimerKey>,
    /// Timers to cancel; absent ones are ignored.
    pub timers_cancel: Vec<TimerKey>,
    /// Streams to pack into few values, at most [`PACKS_MAX`](crate::PACKS_MAX), after everything
    /// else in the batch is written. Readers see no difference.
    pub packs: Vec<Pack>,
    /// Earlier batches of the same group, by index, that this one depends on. If one of them
    /// fails, this one fails with [`CommitError::Skipped`](crate::CommitError::Skipped) and must be
    /// decided again.
    pub needs: Vec<usize>,
    /// The command's idempotency key: a second commit with it fails with
    /// [`CommitError::Duplicate`](crate::CommitError::Duplicate).
    pub command: Option<CommandResult>,
    /// The claim that caused this batch, settled in the same transaction.
    pub settles: Option<Settle>,
}

/// Events for one stream.
#[derive(Clone, Debug, PartialEq)]
pub struct Append {
    /// Created by its first append.
    pub stream: StreamId,
    /// The version that the decision was based on: the number of events in the stream.
    pub expected: u64,
    /// Encoded events, each at most [`VALUE_BYTES_MAX`](crate::VALUE_BYTES_MAX).
    pub events: Vec<Value>,
}

/// A stream to store in as few values as possible, because it is no longer active. It can still be
/// appended to, and packed again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pack {
    /// One without events is ignored.
    pub stream: StreamId,
    /// The version that the decision was based on, before this batch's own events.
    pub expected: u64,
}

/// A condition: the row must be at this revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guard {
    pub table: Table,
    pub key: String,
    /// The revision that the decision was based on; 0 means absent.
    pub revision: u64,
}

/// A command's idempotency key, as its sender chose it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CommandKey(pub String);

/// A command key with the result for a repeated command.
#[derive(Clone, Debug, PartialEq)]
pub struct CommandResult {
    pub key: CommandKey,
    /// Returned to a repeated command.
    pub result: Value,
    /// When to forget it.
    pub expires_at: Timestamp,
}

/// How a claim ends.
#[derive(Clone, Debug, PartialEq)]
pub struct Settle {
    pub token: ClaimToken,
    /// `None` removes the row (done, or abandoned); `Some` queues it for another attempt, not
    /// before that time.
    pub retry_at: Option<Timestamp>,
}

/// The result of a committed batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Committed {
    /// The new version of each stream in `appends`, in the same order.
    pub versions: Vec<u64>,
    /// The new revision of each row in `rows`, in the same order; for a removed row, the revision
    /// of the removal.
    pub revisions: Vec<u64>,
    /// For each delivery in `outbox`, in the same order, the row that now has its body.
    pub queued: Vec<OutboxKey>,
}

impl Batch {
    /// Whether this batch appears in the feed once it is committed.
    #[must_use]
    pub fn changes_feed(&self) -> bool {
        !self.rows.is_empty() || self.appends.iter().any(|it| !it.events.is_empty())
    }

    /// Whether a batch that this one needs failed, or is not before it in the group.
    #[must_use]
    pub fn lacks_need<T, E>(&self, earlier: &[Result<T, E>]) -> bool {
        self.needs
            .iter()
            .any(|&at| earlier.get(at).is_none_or(Result::is_err))
    }
}
