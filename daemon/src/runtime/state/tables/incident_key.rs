//! The incident of a key, while it is active or may reopen.

use tocsin_core::alert::KeyRow;
use tocsin_store::Table;

use super::TypedTable;

/// By [`IncidentKey`](tocsin_core::IncidentKey).
pub const INCIDENT_KEYS: TypedTable<KeyRow> =
    TypedTable::new(Table::Key, "the row of an incident's key");
