use tempfile::TempDir;

use super::*;
use crate::conformance::Subject;

struct OnDisk {
    store: SledStore,
    folder: TempDir,
}

impl OnDisk {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        Self {
            store: SledStore::open(folder.path()).unwrap(),
            folder,
        }
    }
}

impl Subject for OnDisk {
    fn store(&self) -> &dyn Store {
        &self.store
    }

    fn reopened(self: Box<Self>) -> Box<dyn Subject> {
        let Self { store, folder } = *self;
        drop(store);
        Box::new(Self {
            store: SledStore::open(folder.path()).unwrap(),
            folder,
        })
    }
}

crate::conformance_suite!(|| Box::new(OnDisk::new()));
