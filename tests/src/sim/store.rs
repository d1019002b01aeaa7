//! A store that fails like real stores: conflicts, lost commits, lost responses, a full disk. It
//! can also have a planted bug.

mod changes;
pub(super) mod pages;
mod silences;
mod waits;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Deserialize;
use serde_json::Value;
use tocsin::runtime::Delivery;
use tocsin_core::{IncidentId, Timestamp};
use tocsin_store::encoding::{decode, encode};
use tocsin_store::{
    Batch, Claimed, Class, CommandKey, CommitError, Committed, Feed, OutboxKey, OutboxRow,
    Position, Store, StoreError, Stored, StoredEvent, StreamId, Table, TimerKey, TimerRow,
};

use self::silences::{Seen, Silencing};
use super::bug::Bug;
use super::disk::Disk;

/// A planted bug takes effect one time in this many.
const BUG_EVERY: u64 = 6;

/// A fault of the next commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The batch at this index, modulo the number of batches, has a conflict.
    Conflict(usize),
    /// The batch at this index, modulo the number of batches, is too large.
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

/// An action that runs during a commit.
pub(super) type Beside = Box<dyn FnOnce() + Send>;

/// A schedule's plugin and name, and when it was due.
pub(super) type Tick = (String, String, Timestamp);

/// A store with injected faults.
pub(super) struct FaultyStore {
    inner: Mutex<Inner>,
}

struct Inner {
    disk: Disk,
    before_last: Option<Disk>,
    fault: Option<Fault>,
    poisoned: Option<String>,
    bug: Option<Bug>,
    bug_turns: u64,
    touched: BTreeSet<IncidentId>,
    miscoded: Option<String>,
    silencing: Silencing,
    /// Whether anything was written since the last query.
    is_changed: bool,
    /// The runs of schedules that were queued.
    ticks: Vec<Tick>,
    /// The last queued delivery of each lane.
    newest: BTreeMap<(Class, String), OutboxKey>,
    /// Runs between the reads of the next decision and its commit.
    before: Option<Beside>,
    /// Runs between the next commit and its response.
    after: Option<Beside>,
}

type Written = Result<Vec<Result<Committed, CommitError>>, StoreError>;

/// What to record about a batch once it is committed.
struct Noted {
    touched: Vec<IncidentId>,
    ticks: Vec<Tick>,
    silences: Seen,
}

impl FaultyStore {
    /// A store on the state after a crash, optionally with a bug.
    #[must_use]
    pub(super) fn new(disk: Disk, bug: Option<Bug>, bug_turns: u64) -> Self {
        let inner = Inner {
            disk,
            before_last: None,
            fault: None,
            poisoned: None,
            bug,
            bug_turns,
            touched: BTreeSet::new(),
            miscoded: None,
            silencing: Silencing::default(),
            is_changed: true,
            ticks: Vec::new(),
            newest: BTreeMap::new(),
            before: None,
            after: None,
        };
        Self {
            inner: Mutex::new(inner),
        }
    }

    /// Sets the fault of the next commit.
    pub(super) fn arm(&self, fault: Option<Fault>) {
        self.lock().fault = fault;
    }

    /// Runs `before` between the reads and the commit of the next decision, and `after` before its
    /// response, to simulate another engine on the store.
    pub(super) fn interleave(&self, before: Beside, after: Beside) {
        let mut inner = self.lock();
        (inner.before, inner.after) = (Some(before), Some(after));
    }

    /// The action that did not run because there was no commit.
    #[must_use]
    pub(super) fn take_beside(&self) -> Option<Beside> {
        let mut inner = self.lock();
        inner.after = None;
        inner.before.take()
    }

    /// The state after a crash, and how often the bug could have taken effect. Empties this store.
    ///
    /// # Errors
    /// When it cannot be reopened.
    pub(super) fn crash(&self) -> Result<(Disk, u64), String> {
        let mut inner = self.lock();
        let disk = std::mem::replace(&mut inner.disk, Disk::memory());
        let left = match inner.before_last.take() {
            Some(before) if inner.bug == Some(Bug::AnsweredEarly) => before.crash()?,
            _ => disk.crash()?,
        };
        Ok((left, inner.bug_turns))
    }

    /// Whether anything may have been written since the last call.
    #[must_use]
    pub(super) fn take_changed(&self) -> bool {
        std::mem::take(&mut self.lock().is_changed)
    }

    /// The runs of schedules that were queued since the last call.
    #[must_use]
    pub(super) fn take_ticks(&self) -> Vec<Tick> {
        std::mem::take(&mut self.lock().ticks)
    }

    /// The incidents that were written since the last call.
    #[must_use]
    pub(super) fn take_touched(&self) -> BTreeSet<IncidentId> {
        std::mem::take(&mut self.lock().touched)
    }

    /// An event that encoding and decoding changed, if there was one.
    #[must_use]
    pub(super) fn miscoded(&self) -> Option<String> {
        self.lock().miscoded.clone()
    }

    /// An alert that was decided on silences that had changed, if there was one.
    #[must_use]
    pub(super) fn unsilenced(&self) -> Option<String> {
        self.lock().silencing.broken()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn healthy(&self) -> Result<&dyn Store, StoreError> {
        match &self.poisoned {
            Some(why) => Err(StoreError::Poisoned(why.clone())),
            None => Ok(self.disk.store()),
        }
    }

    fn fail(&mut self, reason: &str) -> StoreError {
        self.poisoned = Some(reason.to_owned());
        StoreError::Io {
            action: "commit".to_owned(),
            reason: reason.to_owned(),
        }
    }

    /// Whether an intermittent bug takes effect now.
    fn has_effect(&mut self, bug: Bug) -> bool {
        if self.bug != Some(bug) {
            return false;
        }
        self.bug_turns += 1;
        self.bug_turns.is_multiple_of(BUG_EVERY)
    }

    fn forget(&mut self, bug: Bug, table: Table, batch: &mut Batch) {
        let rows = &mut batch.rows;
        rows.retain(|row| row.table != table || row.value.is_none() || !self.has_effect(bug));
    }

    /// What to record about a batch; also checks that encoding preserves its events.
    fn look_at(&mut self, batch: &Batch) -> Noted {
        let mut touched = Vec::new();
        for append in &batch.appends {
            if let Some(id) = append.stream.0.strip_prefix("incident/") {
                touched.push(id.into());
            }
            for event in &append.events {
                let again = decode(event).and_then(|recorded| encode(&recorded));
                if again.ok().as_ref() != Some(event) {
                    self.miscoded = Some(event.to_string());
                }
            }
        }
        let tallies = batch.rows.iter().filter(|row| row.table == Table::Tally);
        touched.extend(tallies.map(|row| IncidentId(row.key.clone())));
        let ticks = batch.outbox.iter().filter_map(|row| tick_in(&row.body));
        Noted {
            touched,
            ticks: ticks.collect(),
            silences: Seen::of(batch, self.disk.store()),
        }
    }

    fn note(&mut self, noted: Noted, result: &Result<Committed, CommitError>) {
        if let Ok(committed) = result {
            self.touched.extend(noted.touched);
            self.ticks.extend(noted.ticks);
            self.silencing.note(noted.silences, self.disk.store());
            for key in &committed.queued {
                let lane = (key.class, key.lane.clone());
                self.newest.insert(lane, key.clone());
            }
        }
    }

    fn with_bug(&mut self, mut batch: Batch) -> Batch {
        match self.bug {
            Some(bug @ Bug::TimerLost) => batch.timers_set.retain(|_| !self.has_effect(bug)),
            Some(bug @ Bug::TimerStays) => {
                batch.timers_cancel.retain(|_| !self.has_effect(bug));
                batch.timers_take.retain(|_| !self.has_effect(bug));
            }
            Some(bug @ Bug::AppliedTwice) => {
                if self.has_effect(bug)
                    && let Some(append) = batch.appends.first_mut()
                {
                    append.events.extend(append.events.clone());
                }
            }
            Some(Bug::WaitEndless) => batch = waits::endless(batch),
            Some(Bug::SettleForgotten) => batch.settles = None,
            Some(bug) if !bug.unguards().is_empty() => {
                let is_guarded = |table: Table| !bug.unguards().contains(&table);
                batch.guards.retain(|it| is_guarded(it.table));
            }
            Some(Bug::UnguardedSilences) => {
                batch.guards.retain(|it| it.key != "silences-changed");
            }
            Some(Bug::ScheduleTwice) => {
                let taken = std::mem::take(&mut batch.timers_take);
                batch.timers_cancel.extend(taken);
            }
            Some(Bug::EqualSeqs) => {
                let lanes = batch.outbox.iter().map(|it| (it.class, it.lane.clone()));
                let older = lanes.filter_map(|lane| self.newest.get(&lane).cloned());
                batch.outbox_cancel.extend(older);
            }
            Some(bug) => match bug.forgets() {
                Some(table) => self.forget(bug, table, &mut batch),
                None if self.has_effect(bug) => drop(pages::spoil(bug, &mut batch)),
                None => {}
            },
            None => {}
        }
        batch
    }

    fn write(&mut self, group: Vec<Batch>) -> Written {
        if self.bug.is_some() {
            return self.write_singly(group, |_| None);
        }
        let noted: Vec<_> = group.iter().map(|batch| self.look_at(batch)).collect();
        let results = self.disk.store().commit(group)?;
        for (noted, result) in noted.into_iter().zip(&results) {
            self.note(noted, result);
        }
        Ok(results)
    }

    fn write_singly(
        &mut self,
        group: Vec<Batch>,
        refuse: impl Fn(usize) -> Option<CommitError>,
    ) -> Written {
        let mut results: Vec<Result<Committed, CommitError>> = Vec::with_capacity(group.len());
        for (at, batch) in group.into_iter().enumerate() {
            let skips = batch.lacks_need(&results) && self.bug != Some(Bug::NeedsIgnored);
            if skips {
                results.push(Err(CommitError::Skipped));
            } else if let Some(refusal) = refuse(at) {
                results.push(Err(refusal));
            } else {
                let noted = self.look_at(&batch);
                let mut batch = self.with_bug(batch);
                batch.needs.clear();
                let committed = self.disk.store().commit(vec![batch])?;
                if let Some(result) = committed.first() {
                    self.note(noted, result);
                }
                results.extend(committed);
            }
        }
        Ok(results)
    }

    fn commit(&mut self, group: Vec<Batch>) -> Written {
        self.healthy()?;
        self.is_changed = true;
        let len = group.len();
        if self.bug == Some(Bug::AnsweredEarly) {
            self.before_last = self.disk.copy();
        }
        match self.fault.take() {
            None => self.write(group),
            Some(Fault::Conflict(place)) => self.write_singly(group, |at| {
                (at == place % len).then(|| CommitError::Conflict {
                    what: "a simulated row".to_owned(),
                    expected: 1,
                    found: 2,
                })
            }),
            Some(Fault::TooLarge(place)) => self.write_singly(group, |at| {
                (at == place % len).then(|| CommitError::TooLarge {
                    what: "a simulated row".to_owned(),
                    size: 2,
                    max: 1,
                })
            }),
            Some(Fault::Lost) => Err(self.fail("the write was lost")),
            Some(Fault::Full) => Err(self.fail("no space is left on the disk")),
            Some(Fault::AnswerLost) => {
                let _lost = self.write(group)?;
                Err(self.fail("the response was lost"))
            }
            Some(Fault::Torn(keep)) => {
                let whole = group.into_iter().take(keep % (len + 1)).collect();
                let _lost = self.write(whole)?;
                Err(self.fail("the write was interrupted"))
            }
        }
    }
}

/// The schedule's run in a delivery's body, if any.
fn tick_in(body: &Value) -> Option<Tick> {
    match Delivery::deserialize(body).ok()? {
        Delivery::Tick {
            plugin,
            schedule,
            due,
            ..
        } => Some((plugin.to_string(), schedule, due)),
        _ => None,
    }
}

impl Store for FaultyStore {
    fn commit(&self, group: Vec<Batch>) -> Written {
        let before = self.lock().before.take();
        if let Some(before) = before {
            let after = self.lock().after.take();
            before();
            self.lock().after = after;
        }
        let written = self.lock().commit(group);
        let after = self.lock().after.take();
        if let Some(after) = after {
            after();
        }
        written
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
        if inner.bug == Some(Bug::CutOffForgotten) {
            claimed.iter_mut().for_each(|it| it.interrupted = false);
        }
        match inner.fault {
            Some(Fault::AnswerLost) => Err(inner.fail("the response to a claim was lost")),
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
        let mut inner = self.lock();
        inner.is_changed = true;
        inner.healthy()?.expire(now, limit)
    }

    fn size_bytes(&self) -> Result<u64, StoreError> {
        Ok(0)
    }
}
