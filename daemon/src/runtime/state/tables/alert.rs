//! Alerts, by integration and fingerprint: [`Alert::row_key`].

use tocsin_core::Alert;
use tocsin_store::Table;

use super::TypedTable;

/// Every alert that fires, and those that ended a short while ago.
pub const ALERTS: TypedTable<Alert> = TypedTable::new(Table::Alert, "the row of an alert");
