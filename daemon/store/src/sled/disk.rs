//! Durable writes, which stop at the first failure: after a failed write the state on disk is
//! unknown, so nothing more is accepted.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Display;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::OnceLock;

use parking_lot::RwLock;
use sled::IVec;

use super::keys;
use crate::{FREE_BYTES_MIN, StoreError};

/// Pending writes, by key; `None` removes.
pub(super) type Writes = BTreeMap<Vec<u8>, Option<IVec>>;
/// Values read from the tree, by key.
pub(super) type Found = HashMap<Vec<u8>, Option<IVec>>;

pub(super) struct Disk {
    pub(super) db: sled::Db,
    /// Our own handle to sled's log, to sync it.
    pub(super) log: File,
    /// Locked while the store is open.
    pub(super) _lock: File,
    pub(super) path: PathBuf,
    pub(super) poison: OnceLock<String>,
    /// The values of rows and commands before writes that are not synced yet.
    pub(super) before: RwLock<Found>,
}

impl Disk {
    /// Fails once a write has failed.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        match self.poison.get() {
            None => Ok(()),
            Some(reason) => Err(StoreError::Poisoned(reason.clone())),
        }
    }

    /// Makes all later calls fail, and logs why.
    pub(super) fn poison(&self, error: StoreError) -> StoreError {
        let reason = self.poison.get_or_init(|| {
            tracing::error!(%error, "the store rejects all further calls");
            // Dropping sled's last handle writes and panics if that fails, so it is kept.
            std::mem::forget(self.db.clone());
            error.to_string()
        });
        StoreError::Poisoned(reason.clone())
    }

    pub(super) fn get(&self, key: &[u8]) -> Result<Option<IVec>, StoreError> {
        self.db.get(key).map_err(|error| self.io("read", error))
    }

    /// The last synced value of a row or command, so that a reader of one key need not wait for a
    /// sync.
    pub(super) fn get_synced(&self, key: &[u8]) -> Result<Option<IVec>, StoreError> {
        // Held while sled is read, so that no write happens between the two lookups.
        let before = self.before.read();
        match before.get(key) {
            Some(held) => Ok(held.clone()),
            None => self.get(key),
        }
    }

    /// Passes the writes to sled as one atomic batch. They are durable after [`Self::sync`].
    /// `found` has the current values of keys that were already read.
    pub(super) fn write(&self, writes: Writes, found: Found) -> Result<(), StoreError> {
        self.keep_before(&writes, found)?;
        let mut batch = sled::Batch::default();
        for (key, value) in writes {
            match value {
                Some(value) => batch.insert(key, value),
                None => batch.remove(key),
            }
        }
        self.guarded("write", || self.db.apply_batch(batch))
    }

    /// Returns when everything written is on disk.
    pub(super) fn sync(&self) -> Result<(), StoreError> {
        self.guarded("flush", || self.db.flush())?;
        let synced = self.log.sync_data();
        synced.map_err(|error| self.io("sync", error))?;
        self.before.write().clear();
        Ok(())
    }

    fn keep_before(&self, writes: &Writes, mut found: Found) -> Result<(), StoreError> {
        let mut before = self.before.write();
        let single = |key: &&Vec<u8>| matches!(key.first(), Some(&(keys::ROW | keys::COMMAND)));
        for key in writes.keys().filter(single) {
            if !before.contains_key(key) {
                let held = match found.remove(key) {
                    Some(held) => held,
                    None => self.get(key)?,
                };
                before.insert(key.clone(), held);
            }
        }
        Ok(())
    }

    /// Converts sled's panics on some disk errors to errors.
    fn guarded<T>(
        &self,
        verb: &str,
        call: impl FnOnce() -> sled::Result<T>,
    ) -> Result<T, StoreError> {
        match catch_unwind(AssertUnwindSafe(call)) {
            Ok(done) => done.map_err(|error| self.io(verb, error)),
            Err(_) => Err(self.io(verb, "sled panicked; its message is in the log above")),
        }
    }

    pub(super) fn size_bytes(&self) -> Result<u64, StoreError> {
        self.db
            .size_on_disk()
            .map_err(|error| self.io("measure", error))
    }

    pub(super) fn free_bytes(&self) -> Result<u64, StoreError> {
        fs2::available_space(&self.path).map_err(|error| self.io("measure the disk of", error))
    }

    /// Fails when the disk is almost full.
    pub(super) fn check_room(&self) -> Result<(), StoreError> {
        let free = self.free_bytes()?;
        match free < FREE_BYTES_MIN {
            false => Ok(()),
            true => Err(StoreError::Full {
                path: self.path.display().to_string(),
                free,
                min: FREE_BYTES_MIN,
            }),
        }
    }

    pub(super) fn io(&self, verb: &str, error: impl Display) -> StoreError {
        let action = format!("{verb} the store at {}", self.path.display());
        StoreError::Io {
            action,
            reason: error.to_string(),
        }
    }
}

impl std::fmt::Debug for Disk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Disk")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
