//! A table in memory as a whole. It follows the store's feed, so that what any engine wrote is
//! read again, and it is changed through the writer by one change at a time.

use std::sync::Arc;

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use tocsin_store::{CommitError, Feed, Position, Store, StoreError, Table};
use tokio::sync::OwnedMutexGuard;

use crate::runtime::engine::request::Request;
use crate::runtime::engine::writer::Writer;
use crate::runtime::error::EngineError;
use crate::runtime::run_to_completion::run_to_completion;
use crate::runtime::state::tables::RowWrites;
use crate::runtime::state::tables::mark::Mark;

/// Commits that one read of the feed brings.
const FEED_COMMITS: usize = 256;
/// Times that a change is decided, when other engines make changes too.
const TRIES_MAX: usize = 8;

/// What the rows in memory are at least as new as.
#[derive(Clone, Copy, Debug)]
pub struct ReadAt {
    /// What the store's feed had come to.
    pub position: Position,
    /// The revision of the mark, read before the rows: who guards it decides on no older ones.
    pub mark: u64,
}

type Read<T> = fn(&dyn Store) -> Result<T, EngineError>;

pub(super) struct Cache<T> {
    store: Arc<dyn Store>,
    table: Table,
    mark: Mark,
    read: Read<T>,
    rows: ArcSwap<T>,
    read_at: Mutex<ReadAt>,
    changing: Arc<tokio::sync::Mutex<()>>,
}

impl<T: Send + Sync + 'static> Cache<T> {
    /// # Errors
    /// [`EngineError`] when the store cannot be read or a row is damaged.
    pub(super) fn load(
        store: Arc<dyn Store>,
        (table, mark): (Table, Mark),
        read: Read<T>,
    ) -> Result<Arc<Self>, EngineError> {
        // Before the rows are read, so that nothing is missed.
        let read_at = ReadAt {
            position: store.feed_position()?,
            mark: mark.revision(store.as_ref())?,
        };
        Ok(Arc::new(Self {
            rows: ArcSwap::from_pointee(read(store.as_ref())?),
            store,
            table,
            mark,
            read,
            read_at: Mutex::new(read_at),
            changing: Arc::default(),
        }))
    }

    /// The rows as they were last read.
    pub(super) fn rows(&self) -> Arc<T> {
        self.rows.load_full()
    }

    /// The rows as they are now, and what they are not older than.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub(super) fn follow(&self) -> Result<(Arc<T>, ReadAt), EngineError> {
        let mut read_at = self.read_at.lock();
        let (newest, is_changed) = self.look(read_at.position)?;
        if is_changed {
            let mark = self.mark.revision(self.store.as_ref())?;
            let rows = (self.read)(self.store.as_ref())?;
            self.rows.store(Arc::new(rows));
            read_at.mark = mark;
        }
        read_at.position = newest;
        Ok((self.rows(), *read_at))
    }

    /// Carries out what `decide` makes of the rows as they are now. One change is made at a time;
    /// if another engine made one in between, it is decided again.
    ///
    /// # Errors
    /// What `decide` refuses, and [`EngineError`] when it cannot be stored.
    pub(super) async fn change<R, E: From<EngineError>>(
        self: &Arc<Self>,
        writer: &Writer,
        decide: impl Fn(&T) -> Result<(RowWrites, R), E>,
    ) -> Result<R, E> {
        let mut one = Arc::clone(&self.changing).lock_owned().await;
        for _ in 0..TRIES_MAX {
            let (rows, answer) = self.decided(&decide)?;
            if rows.is_empty() {
                return Ok(answer);
            }
            let written;
            (one, written) = self.write(one, rows, writer).await?;
            match written {
                Err(EngineError::Commit(CommitError::Conflict { .. })) => {}
                written => return Ok(written.map(|()| answer)?),
            }
        }
        Err(EngineError::Overloaded.into())
    }

    /// What `decide` makes of the rows as they are now, and its rows with the mark that refuses
    /// them if another change is made first.
    ///
    /// # Errors
    /// What `decide` refuses, and [`EngineError`] as [`load`](Self::load).
    pub(super) fn decided<R, E: From<EngineError>>(
        &self,
        decide: &impl Fn(&T) -> Result<(RowWrites, R), E>,
    ) -> Result<(RowWrites, R), E> {
        let (kept, read_at) = self.follow()?;
        let (rows, answer) = decide(&kept)?;
        if rows.is_empty() {
            return Ok((rows, answer));
        }
        Ok((rows.and(self.mark.leave(read_at.mark)?), answer))
    }

    /// Row and memory change together, also when the caller hangs up: otherwise a revoked token
    /// would go on working for a while. If only memory fails, the change is made all the same: the
    /// text of a stored token must reach its owner.
    async fn write(
        self: &Arc<Self>,
        one: OwnedMutexGuard<()>,
        rows: RowWrites,
        writer: &Writer,
    ) -> Result<(OwnedMutexGuard<()>, Result<(), EngineError>), EngineError> {
        let (cache, writer) = (Arc::clone(self), writer.clone());
        run_to_completion(async move {
            let written = writer.offer(Request::rows(rows)).await;
            if written.is_ok()
                && let Err(error) = cache.follow()
            {
                tracing::error!(%error, "a change is stored, but cannot be read back yet");
            }
            Ok((one, written.map(drop)))
        })
        .await
    }

    /// The newest position, and whether the table's rows were written between it and another.
    fn look(&self, mut position: Position) -> Result<(Position, bool), StoreError> {
        let mut is_changed = false;
        while self.store.feed_position()? != position {
            match self.store.feed(position, FEED_COMMITS)? {
                Feed::Changes(changes) => {
                    for changed in changes {
                        is_changed |= changed.rows.iter().any(|(table, _)| *table == self.table);
                        position = changed.position;
                    }
                }
                Feed::Expired { newest } => {
                    is_changed = true;
                    position = newest;
                }
            }
        }
        Ok((position, is_changed))
    }
}

#[cfg(test)]
mod tests;
