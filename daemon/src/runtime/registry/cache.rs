//! A table in memory as a whole. It follows the store's feed, so that what any engine wrote is
//! read again, and it is changed through the writer by one change at a time.

use std::sync::Arc;

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use tocsin_store::{Feed, Position, Store, StoreError, Table};
use tokio::sync::OwnedMutexGuard;

use crate::runtime::engine::request::Request;
use crate::runtime::engine::writer::Writer;
use crate::runtime::error::EngineError;
use crate::runtime::run_to_completion::run_to_completion;
use crate::runtime::state::tables::RowWrites;

/// Commits that one read of the feed brings.
const FEED_COMMITS: usize = 256;

type Read<T> = fn(&dyn Store) -> Result<T, EngineError>;

pub(super) struct Cache<T> {
    store: Arc<dyn Store>,
    table: Table,
    read: Read<T>,
    rows: ArcSwap<T>,
    /// What is in memory is at least what the store's feed had come to here.
    position: Mutex<Position>,
    changing: Arc<tokio::sync::Mutex<()>>,
}

impl<T: Send + Sync + 'static> Cache<T> {
    /// # Errors
    /// [`EngineError`] when the store cannot be read or a row is damaged.
    pub(super) fn load(
        store: Arc<dyn Store>,
        table: Table,
        read: Read<T>,
    ) -> Result<Arc<Self>, EngineError> {
        // Before the rows are read, so that nothing is missed.
        let position = Mutex::new(store.feed_position()?);
        Ok(Arc::new(Self {
            rows: ArcSwap::from_pointee(read(store.as_ref())?),
            store,
            table,
            read,
            position,
            changing: Arc::default(),
        }))
    }

    /// The rows as they were last read.
    pub(super) fn rows(&self) -> Arc<T> {
        self.rows.load_full()
    }

    /// The rows as they are now, and a position of the feed that they are not older than.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub(super) fn follow(&self) -> Result<(Arc<T>, Position), EngineError> {
        let mut position = self.position.lock();
        let (newest, is_changed) = self.look(*position)?;
        if is_changed {
            let rows = (self.read)(self.store.as_ref())?;
            self.rows.store(Arc::new(rows));
        }
        *position = newest;
        Ok((self.rows(), newest))
    }

    /// The rows for a change, of which one is made at a time, so that two do not lose each other's
    /// row.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub(super) async fn begin(&self) -> Result<(OwnedMutexGuard<()>, Arc<T>), EngineError> {
        let one = Arc::clone(&self.changing).lock_owned().await;
        Ok((one, self.follow()?.0))
    }

    /// Row and memory change together, also when the caller hangs up: otherwise a revoked token
    /// would go on working for a while.
    ///
    /// # Errors
    /// [`EngineError`] when it cannot be stored.
    pub(super) async fn write(
        self: &Arc<Self>,
        one: OwnedMutexGuard<()>,
        rows: RowWrites,
        writer: &Writer,
    ) -> Result<(), EngineError> {
        let (cache, writer) = (Arc::clone(self), writer.clone());
        run_to_completion(async move {
            let _one = one;
            writer.offer(Request::rows(rows)).await?;
            cache.follow().map(drop)
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
