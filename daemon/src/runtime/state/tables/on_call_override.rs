//! Overrides of rotations that people made, by id.

use tocsin_store::Table;

use super::TypedTable;
use crate::people::MadeOverride;

/// Overrides until some time after their end.
pub(crate) const OVERRIDES: TypedTable<MadeOverride> =
    TypedTable::new(Table::Override, "the row of an override");
