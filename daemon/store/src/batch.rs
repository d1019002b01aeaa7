//! A batch: everything that one decision makes durable.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tocsin_core::Timestamp;

use crate::row::{
    ClaimToken, NewDelivery, OutboxKey, RowChange, StreamId, Table, TimerKey, TimerRow,
};

/// Everything that one decision makes durable: all of it or nothing.
///
/// Checks come first: `command`, `settles`, `timers_take`, the expected versions of `appends` and
/// `packs`, and `guards`. Then everything is written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// Events to append, to at most [`APPENDS_MAX`](crate::APPENDS_MAX) streams.
    pub appends: Vec<Append>,
    /// Rows that must be as they were read.
    pub guards: Vec<Guard>,
    /// Current state to write or remove.
    pub rows: Vec<RowChange>,
    /// Deliveries to queue. Each gets a `seq` above every one that the store assigned before, in
    /// the order of commits, batches and rows. A number is never reused, not even when its row is
    /// gone or the store was reopened; there may be gaps.
    ///
    /// A delivery of class `State` gives its body to the newest unclaimed row of its lane that
    /// has the same `coalesce` key, and is itself not queued; that row keeps its place: its
    /// `seq`, its times and its attempts.
    pub outbox: Vec<NewDelivery>,
    /// Deliveries to drop; absent ones are no error. One that is claimed is dropped too: its
    /// lane stays held until the claim is settled, and a retry does not bring it back.
    pub outbox_cancel: Vec<OutboxKey>,
    pub timers_set: Vec<TimerRow>,
    /// The timers whose firing caused this batch. They are removed as by `timers_cancel`, but
    /// each must be set: otherwise the batch answers
    /// [`CommitError::TimerTaken`](crate::CommitError::TimerTaken). So of several engines that
    /// see a timer due, one fires it.
    pub timers_take: Vec<TimerKey>,
    /// Timers to cancel; absent ones are no error.
    pub timers_cancel: Vec<TimerKey>,
    /// Streams to keep in few values, at most [`PACKS_MAX`](crate::PACKS_MAX), after everything
    /// else of the batch is written. Whoever reads a stream sees no difference.
    pub packs: Vec<Pack>,
    /// Earlier batches of the same group, by their place in it, that this one was decided on. If
    /// one of them fails, this one answers [`CommitError::Skipped`](crate::CommitError::Skipped)
    /// and must be decided again.
    pub needs: Vec<usize>,
    /// The command's own key: a second commit under it answers
    /// [`CommitError::Duplicate`](crate::CommitError::Duplicate).
    pub command: Option<CommandResult>,
    /// The claim that caused this, finished in the same transaction.
    pub settles: Option<Settle>,
}

/// Events for one stream.
#[derive(Clone, Debug, PartialEq)]
pub struct Append {
    /// The stream; made by its first append.
    pub stream: StreamId,
    /// The version that the decision was made on: how many events the stream had.
    pub expected: u64,
    /// Encoded events, each at most [`VALUE_BYTES_MAX`](crate::VALUE_BYTES_MAX).
    pub events: Vec<Value>,
}

/// A stream whose events are kept in as few values as they fit in, because nobody is busy with
/// it any more. It may be appended to as before, and packed again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pack {
    /// The stream; one without events is no error.
    pub stream: StreamId,
    /// The version that the decision was made on, before this batch's own events.
    pub expected: u64,
}

/// A row must be at this revision; 0: it must be absent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guard {
    /// The row's table.
    pub table: Table,
    /// The row's key.
    pub key: String,
    /// The revision that the decision was made on; 0 means absent.
    pub revision: u64,
}

/// A command's idempotency key, in the words of whoever sent it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CommandKey(pub String);

/// A command key with what it answers when it comes again.
#[derive(Clone, Debug, PartialEq)]
pub struct CommandResult {
    pub key: CommandKey,
    /// What to answer a repeat.
    pub result: Value,
    /// When to forget it.
    pub expires_at: Timestamp,
}

/// How a claim ends.
#[derive(Clone, Debug, PartialEq)]
pub struct Settle {
    pub token: ClaimToken,
    /// `None` removes the row (done, or given up); `Some` puts it back for another attempt, not
    /// before that time.
    pub retry_at: Option<Timestamp>,
}

/// What a committed batch came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Committed {
    /// The new version of each stream in `appends`, in their order.
    pub versions: Vec<u64>,
    /// The new revision of each row in `rows`, in their order; of a removed one, the revision that
    /// it was removed at.
    pub revisions: Vec<u64>,
    /// For each delivery in `outbox`, in their order, the row that now has its body.
    pub queued: Vec<OutboxKey>,
}

impl Batch {
    /// Whether the feed tells of this batch once it is committed.
    #[must_use]
    pub fn changes_feed(&self) -> bool {
        !self.rows.is_empty() || self.appends.iter().any(|it| !it.events.is_empty())
    }

    /// Whether a batch that this one needs failed, or does not come before it in the group.
    #[must_use]
    pub fn lacks_need<T, E>(&self, earlier: &[Result<T, E>]) -> bool {
        self.needs
            .iter()
            .any(|&at| earlier.get(at).is_none_or(Result::is_err))
    }
}
