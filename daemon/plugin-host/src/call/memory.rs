//! Memory and table limits of one store, over all its instances.

use wasmtime::ResourceLimiter;

/// Total elements of all tables of one instance.
pub(super) const TABLE_ELEMENTS_MAX: usize = 10_000;
/// Core instances, memories and tables in one store, each.
pub(crate) const STORE_ITEMS_MAX: usize = 10;

/// Tracks a store's memory and tables, and refuses growth over the limits.
#[derive(Debug)]
pub(crate) struct MemoryLimits {
    memory_bytes_max: usize,
    memory_bytes: usize,
    table_elements: usize,
    /// The first refused request, for the report of the resulting trap.
    refused: Option<Refused>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// All memories together would have had this size, in bytes.
    Memory(usize),
    /// All tables together would have had this many elements.
    Table(usize),
}

impl MemoryLimits {
    pub(crate) fn new(memory_bytes_max: u64) -> Self {
        Self {
            memory_bytes_max: usize::try_from(memory_bytes_max).unwrap_or(usize::MAX),
            memory_bytes: 0,
            table_elements: 0,
            refused: None,
        }
    }

    /// Memories never shrink, so this is the peak. In bytes.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.memory_bytes
    }

    pub(crate) fn refused(&self) -> Option<Refused> {
        self.refused
    }
}

impl ResourceLimiter for MemoryLimits {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let after = self
            .memory_bytes
            .saturating_sub(current)
            .saturating_add(desired);
        if after > self.memory_bytes_max {
            self.refused.get_or_insert(Refused::Memory(after));
            return Ok(false);
        }
        self.memory_bytes = after;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let after = self
            .table_elements
            .saturating_sub(current)
            .saturating_add(desired);
        if after > TABLE_ELEMENTS_MAX {
            self.refused.get_or_insert(Refused::Table(after));
            return Ok(false);
        }
        self.table_elements = after;
        Ok(true)
    }

    fn instances(&self) -> usize {
        STORE_ITEMS_MAX
    }

    fn tables(&self) -> usize {
        STORE_ITEMS_MAX
    }

    fn memories(&self) -> usize {
        STORE_ITEMS_MAX
    }
}
