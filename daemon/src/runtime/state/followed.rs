//! Follows the store's feed, so that rows in memory are reloaded soon after another engine changed
//! them.

use parking_lot::Mutex;
use tocsin_store::{Feed, Position, Store, StoreError, Table};

/// Commits per read of the feed.
const FEED_COMMITS: usize = 256;

/// The position in the feed up to which a table's rows in memory are current.
pub(crate) struct Followed {
    table: Table,
    position: Mutex<Position>,
}

impl Followed {
    /// Follows from now on. Call it before reading the rows, so that no change is missed.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub(crate) fn from_now(store: &dyn Store, table: Table) -> Result<Self, StoreError> {
        let position = Mutex::new(store.feed_position()?);
        Ok(Self { table, position })
    }

    /// Whether rows of the table were written since the last call, by any engine.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub(crate) fn take_changed(&self, store: &dyn Store) -> Result<bool, StoreError> {
        let mut position = self.position.lock();
        let mut is_changed = false;
        while store.feed_position()? != *position {
            match store.feed(*position, FEED_COMMITS)? {
                Feed::Changes(changes) => {
                    for changed in changes {
                        is_changed |= changed.rows.iter().any(|(table, _)| *table == self.table);
                        *position = changed.position;
                    }
                }
                Feed::Expired { newest } => {
                    is_changed = true;
                    *position = newest;
                }
            }
        }
        Ok(is_changed)
    }
}
