//! Marks for decisions that are made on many rows, such as whether a token is the last of its
//! kind: each leaves one, so that of two engines that decide at the same time one is refused and
//! looks again.

use tocsin_store::{Guard, Store, Table};

use super::{RowWrites, TypedTable};
use crate::runtime::error::EngineError;

const META: TypedTable<u64> = TypedTable::new(Table::Meta, "a mark");

/// One kind of decision.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark(&'static str);

impl Mark {
    pub(crate) const ABSENCES: Self = Self("absences-changed");
    pub(crate) const OVERRIDES: Self = Self("overrides-changed");
    pub(crate) const PAGE_TESTS: Self = Self("page-tests-begun");
    /// Which schedules have a timer.
    pub(crate) const SCHEDULES: Self = Self("schedules-armed");
    pub(crate) const SILENCES: Self = Self("silences-changed");
    pub(crate) const TOKENS: Self = Self("tokens-changed");

    /// The revision of the mark, asked before the rows are read; 0 when there is none yet.
    ///
    /// # Errors
    /// [`EngineError`] when the store fails or the row is damaged.
    pub(crate) fn revision(self, store: &dyn Store) -> Result<u64, EngineError> {
        Ok(META.get(store, self.0)?.map_or(0, |row| row.revision))
    }

    /// Refuses a batch unless the mark is the one that was asked for.
    pub(crate) fn guard(self, revision: u64) -> Guard {
        META.guard(self.0, revision)
    }

    /// Leaves the mark in place of the one that was asked for.
    ///
    /// # Errors
    /// Never at present.
    pub(crate) fn leave(self, revision: u64) -> Result<RowWrites, EngineError> {
        Ok(META.put(self.0, &revision)?.if_at(revision))
    }
}
