//! Incidents by a plugin's external reference, such as a chat channel.

use tocsin_core::IncidentId;
use tocsin_store::Table;

use super::TypedTable;

pub(crate) const REFERENCES: TypedTable<IncidentId> =
    TypedTable::new(Table::Reference, "the row of a reference");

#[must_use]
pub fn reference_key(plugin: &str, kind: &str, id: &str) -> String {
    format!("{plugin}/{kind}/{id}")
}
