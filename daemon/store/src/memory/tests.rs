use super::*;
use crate::conformance::Subject;

impl Subject for MemoryStore {
    fn store(&self) -> &dyn Store {
        self
    }

    fn reopened(self: Box<Self>) -> Box<dyn Subject> {
        Box::new(self.crash_copy())
    }
}

crate::conformance_suite!(|| Box::new(MemoryStore::new()));
