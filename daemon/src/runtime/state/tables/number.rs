//! The number of the incident that opened last.

use tocsin_store::{Store, Table};

use super::{Row, RowWrites, TypedTable};
use crate::runtime::error::EngineError;

const META: TypedTable<u64> = TypedTable::new(Table::Meta, "the last incident's number");
const KEY: &str = "incident-number";

/// The last number and its row's revision; 0 and 0 when no incident ever opened.
///
/// # Errors
/// [`EngineError`] when the store fails or the row is damaged.
pub fn last(store: &dyn Store) -> Result<Row<u64>, EngineError> {
    let none = Row {
        value: 0,
        revision: 0,
        expires_at: None,
    };
    Ok(META.get(store, KEY)?.unwrap_or(none))
}

/// Stores the number of an incident that opens.
///
/// # Errors
/// Currently none.
pub(crate) fn take(number: u64) -> Result<RowWrites, EngineError> {
    META.put(KEY, &number)
}
