//! Exact counts of an incident's alerts, by the incident's id. An incident that left memory has
//! none when its stream has the same counts.

use tocsin_core::alert::Tally;
use tocsin_core::incident::Incident;
use tocsin_store::{Store, Table};

use super::{Row, TypedTable};
use crate::runtime::error::EngineError;

/// The tallies.
pub(crate) const TALLIES: TypedTable<Tally> =
    TypedTable::new(Table::Tally, "the tally of an incident");

/// The tally of an incident; revision 0 when its stream alone has the counts.
///
/// # Errors
/// [`EngineError`] when the store fails or the row is damaged.
pub fn tally_of(store: &dyn Store, incident: &Incident) -> Result<Row<Tally>, EngineError> {
    let from_stream = || Row {
        value: Tally {
            counts: incident.counts,
            logged: incident.counts,
            ..Tally::default()
        },
        revision: 0,
        expires_at: None,
    };
    let row = TALLIES.get(store, incident.id.as_str())?;
    Ok(row.unwrap_or_else(from_stream))
}
