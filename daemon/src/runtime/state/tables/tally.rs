//! Exact counts of an incident's alerts, by the incident's id. An incident that left memory has
//! none when its stream has the same counts.

use tocsin_core::alert::Tally;
use tocsin_core::incident::Incident;
use tocsin_store::{Store, Table};

use super::TypedTable;
use crate::runtime::error::EngineError;

pub(crate) const TALLIES: TypedTable<Tally> =
    TypedTable::new(Table::Tally, "the tally of an incident");

/// The tally of an incident.
///
/// # Errors
/// [`EngineError`] when the store fails or the row is damaged.
pub fn tally_of(store: &dyn Store, incident: &Incident) -> Result<Tally, EngineError> {
    let row = TALLIES.get(store, incident.id.as_str())?;
    Ok(row.map_or_else(|| tally_from_stream(incident), |row| row.value))
}

/// The tally of an incident that has no row: its stream got the same counts last.
pub(crate) fn tally_from_stream(incident: &Incident) -> Tally {
    Tally {
        counts: incident.counts,
        logged: incident.counts,
        ..Tally::default()
    }
}
