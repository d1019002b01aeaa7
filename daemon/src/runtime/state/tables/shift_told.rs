//! Shifts of which their person was reminded, by rotation, begin and person, until a while after
//! the begin; apart from these, shifts of which was looked what is open when they begin.

use tocsin_core::time::HOUR_MS;
use tocsin_core::trial::ShiftNotice;
use tocsin_core::{PersonId, Timestamp};
use tocsin_store::{Store, Table};

use super::{RowWrites, TypedTable};
use crate::runtime::error::EngineError;

/// How long after the shift's begin a row is kept, in milliseconds: a day, as no reminder is sent
/// once it has begun.
const KEPT_MS: u64 = 24 * HOUR_MS;

/// When the person was reminded.
const SHIFTS_TOLD: TypedTable<Timestamp> = TypedTable::new(Table::ShiftTold, "a told shift");

/// Whether a person was reminded of a shift.
///
/// # Errors
/// [`EngineError`] when the store fails or the row is damaged.
pub(crate) fn is_told(
    store: &dyn Store,
    shift: &ShiftNotice,
    person: &PersonId,
) -> Result<bool, EngineError> {
    Ok(SHIFTS_TOLD.get(store, &key_of(shift, person))?.is_some())
}

/// Notes that a person is reminded of a shift; refuses the batch if they were.
///
/// # Errors
/// Never at present.
pub(crate) fn tell(
    shift: &ShiftNotice,
    person: &PersonId,
    now: Timestamp,
) -> Result<RowWrites, EngineError> {
    let until = Some(shift.from.max(now).plus_ms(KEPT_MS));
    let write = SHIFTS_TOLD.put_until(&key_of(shift, person), &now, until)?;
    Ok(write.if_at(0))
}

/// Has a person be reminded again, as the reminder did not reach them.
pub(crate) fn forget(shift: &ShiftNotice, person: &PersonId) -> RowWrites {
    SHIFTS_TOLD.remove(&key_of(shift, person))
}

fn key_of(shift: &ShiftNotice, person: &PersonId) -> String {
    let mark = if shift.open.is_some() { "/open" } else { "" };
    format!("{}/{:020}/{person}{mark}", shift.rotation, shift.from.0)
}
