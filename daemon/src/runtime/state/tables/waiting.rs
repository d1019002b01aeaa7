//! Alerts that wait for others before they open an incident, by the incident's key.

use tocsin_core::alert::Waiting;
use tocsin_core::{IncidentKey, Timestamp, limits};
use tocsin_store::Table;

use super::{RowWrites, TypedTable};
use crate::runtime::error::EngineError;

/// The waiting alerts.
pub(crate) const WAITING: TypedTable<Waiting> =
    TypedTable::new(Table::Wait, "the row of waiting alerts");

/// Writes the alerts that wait under a key; removes the row if there are none.
///
/// # Errors
/// [`EngineError::Damaged`] when they cannot be expressed as JSON.
pub(crate) fn set(
    key: &IncidentKey,
    waiting: &Waiting,
    now: Timestamp,
) -> Result<RowWrites, EngineError> {
    if waiting.members.is_empty() {
        return Ok(WAITING.remove(key.as_str()));
    }
    let expires_at = now.plus_ms(limits::WAIT_WINDOW_MS_MAX);
    WAITING.put_until(key.as_str(), waiting, Some(expires_at))
}
