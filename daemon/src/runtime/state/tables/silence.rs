//! Silences, by id.

use tocsin_store::Table;

use super::TypedTable;
use crate::silence::Silence;

/// Those that are pending, active or expired a short while ago.
pub(crate) const SILENCES: TypedTable<Silence> =
    TypedTable::new(Table::Silence, "the row of a silence");
