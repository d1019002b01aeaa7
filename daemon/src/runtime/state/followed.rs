//! How far in the store's feed something in memory has come: what another engine wrote is read
//! again within a second or two.

use parking_lot::Mutex;
use tocsin_store::{Feed, Position, Store, StoreError, Table};

/// Commits that one read of the feed brings.
const FEED_COMMITS: usize = 256;

/// How far one table's rows in memory have followed the feed.
pub(crate) struct Followed {
    table: Table,
    position: Mutex<Position>,
}

impl Followed {
    /// From now on; asked before the rows are read, so that nothing is missed.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub(crate) fn from_now(store: &dyn Store, table: Table) -> Result<Self, StoreError> {
        let position = Mutex::new(store.feed_position()?);
        Ok(Self { table, position })
    }

    /// Whether rows of the table were written since this was last asked, by whomever.
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
