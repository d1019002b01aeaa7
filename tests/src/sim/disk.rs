//! The storage of a simulated store: memory, or sled in a temporary folder.

use tempfile::TempDir;
use tocsin_store::{MemoryStore, SledStore, Store};

use super::check::text;

pub(super) enum Disk {
    /// The reference store.
    Memory(MemoryStore),
    /// sled in a temporary folder.
    Sled(Box<SledStore>, TempDir),
}

impl Disk {
    /// An empty store in memory.
    #[must_use]
    pub(super) fn memory() -> Self {
        Self::Memory(MemoryStore::new())
    }

    /// An empty sled store.
    ///
    /// # Errors
    /// When the folder cannot be created or opened.
    pub(super) fn sled() -> Result<Self, String> {
        let folder = tempfile::tempdir().map_err(text)?;
        let store = SledStore::open(folder.path()).map_err(text)?;
        Ok(Self::Sled(Box::new(store), folder))
    }

    #[must_use]
    pub(super) fn store(&self) -> &dyn Store {
        match self {
            Self::Memory(store) => store,
            Self::Sled(store, _) => store.as_ref(),
        }
    }

    /// The state after a crash.
    ///
    /// # Errors
    /// When sled cannot be reopened.
    pub(super) fn crash(self) -> Result<Self, String> {
        match self {
            Self::Memory(store) => Ok(Self::Memory(store.crash_copy())),
            Self::Sled(store, folder) => {
                drop(store);
                let store = SledStore::open(folder.path()).map_err(text)?;
                Ok(Self::Sled(Box::new(store), folder))
            }
        }
    }

    /// A copy of the state after a crash; only for a store in memory.
    #[must_use]
    pub(super) fn copy(&self) -> Option<Self> {
        match self {
            Self::Memory(store) => Some(Self::Memory(store.crash_copy())),
            Self::Sled(..) => None,
        }
    }
}
