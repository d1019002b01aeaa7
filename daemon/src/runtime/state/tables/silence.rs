//! Silences, by id.

use tocsin_store::Table;

use super::TypedTable;
use crate::silence::Silence;

/// Pending, active and recently expired silences.
pub(crate) const SILENCES: TypedTable<Silence> =
    TypedTable::new(Table::Silence, "the row of a silence");
