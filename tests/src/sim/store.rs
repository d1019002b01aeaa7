//! A store that fails as stores do: a batch meets a conflict, a commit is lost, an
//! acknowledgement is lost, the disk is full. And, when it is told to, one that has a bug.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tocsin_core::{IncidentId, Timestamp};
use tocsin_store::encoding::{decode, encode};
use tocsin_store::{
    Batch, Claimed, Class, CommandKey, CommitError, Committed, Feed, MemoryStore, OutboxKey,
    OutboxRow, Position, Store, StoreError, Stored, StoredEvent, StreamId, Table, TimerKey,
    TimerRow,
};

use super::bug::Bug;

/// One time in this many a planted bug shows.
const BUG_EVERY: u64 = 6;

/// What goes wrong with the next commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The batch at this place, counted round, meets a conflict.
    Conflict(usize),
    /// The batch at this place, counted round, does not fit.
    TooLarge(usize),
    /// Nothing is written, and the store fails.
    Lost,
    /// All is written, and the store fails.
    AnswerLost,
    /// This many batches are written, and the store fails.
    Torn(usize),
    /// The disk is full: nothing is written, and the store fails.
    Full,
}

/// A store that fails when it is told to.
pub(super) struct FaultyStore {
    inner: Mutex<Inner>,
}

struct Inner {
    memory: MemoryStore,
    before_last: Option<MemoryStore>,
    fault: Option<Fault>,
    poisoned: Option<String>,
    bug: Option<Bug>,
    bug_turns: u64,
    touched: BTreeSet<IncidentId>,
    miscoded: Option<String>,
}

impl FaultyStore {
    /// A store on what a crash left, with a bug or none.
    #[must_use]
    pub(super) fn new(memory: MemoryStore, bug: Option<Bug>, bug_turns: u64) -> Self {
        let inner = Inner {
            memory,
            before_last: None,
            fault: None,
            poisoned: None,
            bug,
            bug_turns,
            touched: BTreeSet::new(),
            miscoded: None,
        };
        Self {
            inner: Mutex::new(inner),
        }
    }

    /// Lets the next commit fail.
    pub(super) fn arm(&self, fault: Option<Fault>) {
        self.lock().fault = fault;
    }

    /// What a crash now leaves, and how often the bug had its turn.
    #[must_use]
    pub(super) fn crash(&self) -> (MemoryStore, u64) {
        let inner = self.lock();
        let left = match &inner.before_last {
            Some(before) if inner.bug == Some(Bug::AnsweredEarly) => before.crash_copy(),
            _ => inner.memory.crash_copy(),
        };
        (left, inner.bug_turns)
    }

    /// The incidents that were written since this was asked last.
    #[must_use]
    pub(super) fn take_touched(&self) -> BTreeSet<IncidentId> {
        std::mem::take(&mut self.lock().touched)
    }

    /// An event that is not what it was after encoding and decoding, if there was one.
    #[must_use]
    pub(super) fn miscoded(&self) -> Option<String> {
        self.lock().miscoded.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn healthy(&self) -> Result<&MemoryStore, StoreError> {
        match &self.poisoned {
            Some(why) => Err(StoreError::Poisoned(why.clone())),
            None => Ok(&self.memory),
        }
    }

    fn fail(&mut self, reason: &str) -> StoreError {
        self.poisoned = Some(reason.to_owned());
        StoreError::Io {
            action: "commit".to_owned(),
            reason: reason.to_owned(),
        }
    }

    /// Whether a bug that shows now and then shows now.
    fn strikes(&mut self, bug: Bug) -> bool {
        if self.bug != Some(bug) {
            return false;
        }
        self.bug_turns += 1;
        self.bug_turns.is_multiple_of(BUG_EVERY)
    }

    fn note(&mut self, batch: &Batch) {
        for append in &batch.appends {
            if let Some(id) = append.stream.0.strip_prefix("incident/") {
                self.touched.insert(id.into());
            }
            for event in &append.events {
                let again = decode(event).and_then(|recorded| encode(&recorded));
                if again.ok().as_ref() != Some(event) {
                    self.miscoded = Some(event.to_string());
                }
            }
        }
        let tallies = batch.rows.iter().filter(|row| row.table == Table::Tally);
        self.touched
            .extend(tallies.map(|row| IncidentId(row.key.clone())));
    }

    fn with_bug(&mut self, mut batch: Batch) -> Batch {
        match self.bug {
            Some(bug @ Bug::TimerLost) => batch.timers_set.retain(|_| !self.strikes(bug)),
            Some(bug @ Bug::TimerStays) => {
                batch.timers_cancel.retain(|_| !self.strikes(bug));
                batch.timers_take.retain(|_| !self.strikes(bug));
            }
            Some(bug @ Bug::PageForgotten) => batch
                .outbox
                .retain(|row| row.class != Class::Page || !self.strikes(bug)),
            Some(bug @ Bug::TallyForgotten) => batch
                .rows
                .retain(|row| row.table != Table::Tally || !self.strikes(bug)),
            Some(bug @ Bug::KeyForgotten) => batch
                .rows
                .retain(|row| row.table != Table::Key || !self.strikes(bug)),
            Some(bug @ Bug::AppliedTwice) => {
                if self.strikes(bug)
                    && let Some(append) = batch.appends.first_mut()
                {
                    append.events.extend(append.events.clone());
                }
            }
            Some(Bug::SettleForgotten) => batch.settles = None,
            _ => {}
        }
        batch
    }

    fn write(
        &mut self,
        group: Vec<Batch>,
        refuse: impl Fn(usize) -> Option<CommitError>,
    ) -> Result<Vec<Result<Committed, CommitError>>, StoreError> {
        let mut results: Vec<Result<Committed, CommitError>> = Vec::with_capacity(group.len());
        for (at, batch) in group.into_iter().enumerate() {
            let skips = batch.lacks_need(&results) && self.bug != Some(Bug::NeedsIgnored);
            if skips {
                results.push(Err(CommitError::Skipped));
            } else if let Some(refusal) = refuse(at) {
                results.push(Err(refusal));
            } else {
                self.note(&batch);
                let mut batch = self.with_bug(batch);
                batch.needs.clear();
                results.extend(self.memory.commit(vec![batch])?);
            }
        }
        Ok(results)
    }
}

impl Store for FaultyStore {
    fn commit(&self, group: Vec<Batch>) -> Result<Vec<Result<Committed, CommitError>>, StoreError> {
        let mut inner = self.lock();
        inner.healthy()?;
        let len = group.len();
        if inner.bug == Some(Bug::AnsweredEarly) {
            inner.before_last = Some(inner.memory.crash_copy());
        }
        match inner.fault.take() {
            None => inner.write(group, |_| None),
            Some(Fault::Conflict(place)) => inner.write(group, |at| {
                (at == place % len).then(|| CommitError::Conflict {
                    what: "a simulated row".to_owned(),
                    expected: 1,
                    found: 2,
                })
            }),
            Some(Fault::TooLarge(place)) => inner.write(group, |at| {
                (at == place % len).then(|| CommitError::TooLarge {
                    what: "a simulated row".to_owned(),
                    size: 2,
                    max: 1,
                })
            }),
            Some(Fault::Lost) => Err(inner.fail("the write was lost")),
            Some(Fault::Full) => Err(inner.fail("no space is left on the disk")),
            Some(Fault::AnswerLost) => {
                let _unheard = inner.write(group, |_| None)?;
                Err(inner.fail("the answer was lost"))
            }
            Some(Fault::Torn(keep)) => {
                let whole = group.into_iter().take(keep % (len + 1)).collect();
                let _unheard = inner.write(whole, |_| None)?;
                Err(inner.fail("the write broke off"))
            }
        }
    }

    fn read_stream(
        &self,
        stream: &StreamId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        self.lock().healthy()?.read_stream(stream, after, limit)
    }

    fn row(&self, table: Table, key: &str) -> Result<Option<Stored>, StoreError> {
        self.lock().healthy()?.row(table, key)
    }

    fn rows(
        &self,
        table: Table,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Stored)>, StoreError> {
        self.lock().healthy()?.rows(table, prefix, after, limit)
    }

    fn command_result(&self, key: &CommandKey) -> Result<Option<Value>, StoreError> {
        self.lock().healthy()?.command_result(key)
    }

    fn timers_due(&self, now: Timestamp, limit: usize) -> Result<Vec<TimerRow>, StoreError> {
        let inner = self.lock();
        let now = match inner.bug {
            Some(Bug::TimerEarly) => now.plus_ms(30_000),
            _ => now,
        };
        inner.healthy()?.timers_due(now, limit)
    }

    fn next_timer(&self) -> Result<Option<Timestamp>, StoreError> {
        self.lock().healthy()?.next_timer()
    }

    fn claim(
        &self,
        class: Class,
        now: Timestamp,
        limit: usize,
        lease_ms: u64,
    ) -> Result<Vec<Claimed>, StoreError> {
        let mut inner = self.lock();
        let mut claimed = inner.healthy()?.claim(class, now, limit, lease_ms)?;
        if inner.bug == Some(Bug::LanePassedOver) {
            claimed.retain(|claim| !claim.token.key.lane.starts_with("bob/"));
        }
        match inner.fault {
            Some(Fault::AnswerLost) => Err(inner.fail("the answer to a claim was lost")),
            _ => Ok(claimed),
        }
    }

    fn next_ready(&self, class: Class) -> Result<Option<Timestamp>, StoreError> {
        self.lock().healthy()?.next_ready(class)
    }

    fn outbox(
        &self,
        class: Class,
        after: Option<&OutboxKey>,
        limit: usize,
    ) -> Result<Vec<OutboxRow>, StoreError> {
        self.lock().healthy()?.outbox(class, after, limit)
    }

    fn timers(&self, after: Option<&TimerKey>, limit: usize) -> Result<Vec<TimerRow>, StoreError> {
        self.lock().healthy()?.timers(after, limit)
    }

    fn streams(
        &self,
        after: Option<&StreamId>,
        limit: usize,
    ) -> Result<Vec<(StreamId, u64)>, StoreError> {
        self.lock().healthy()?.streams(after, limit)
    }

    fn feed(&self, after: Position, limit: usize) -> Result<Feed, StoreError> {
        self.lock().healthy()?.feed(after, limit)
    }

    fn feed_position(&self) -> Result<Position, StoreError> {
        self.lock().healthy()?.feed_position()
    }

    fn expire(&self, now: Timestamp, limit: usize) -> Result<usize, StoreError> {
        self.lock().healthy()?.expire(now, limit)
    }

    fn size_bytes(&self) -> Result<u64, StoreError> {
        Ok(0)
    }
}
