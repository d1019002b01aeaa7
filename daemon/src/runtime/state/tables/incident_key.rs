//! The incident of a key, while it is active or may reopen.

use tocsin_core::alert::KeyRow;
use tocsin_store::Table;

use super::TypedTable;

pub const INCIDENT_KEYS: TypedTable<KeyRow> =
    TypedTable::new(Table::Key, "the row of an incident's key");
