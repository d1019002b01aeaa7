//! What a simulated store keeps its rows on: memory, or sled in a folder of its own.

use tempfile::TempDir;
use tocsin_store::{MemoryStore, SledStore, Store};

use super::check::text;

/// What a simulated store keeps its rows on.
pub(super) enum Disk {
    /// The reference store.
    Memory(MemoryStore),
    /// Sled, in a folder that goes with it.
    Sled(Box<SledStore>, TempDir),
}

impl Disk {
    /// An empty store in memory.
    #[must_use]
    pub(super) fn memory() -> Self {
        Self::Memory(MemoryStore::new())
    }

    /// An empty sled.
    ///
    /// # Errors
    /// When the folder cannot be made or opened.
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

    /// What a crash now leaves.
    ///
    /// # Errors
    /// When sled cannot be opened again.
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

    /// A copy of what a crash now leaves; only of a store in memory.
    #[must_use]
    pub(super) fn copy(&self) -> Option<Self> {
        match self {
            Self::Memory(store) => Some(Self::Memory(store.crash_copy())),
            Self::Sled(..) => None,
        }
    }
}
