//! When people are out of office, as their calendars said when they were last read, by person.

use serde::{Deserialize, Serialize};
use tocsin_core::{PersonId, Timestamp};
use tocsin_store::Table;

use super::TypedTable;
use crate::people::Absences;

/// What a calendar said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AbsenceRow {
    pub person: PersonId,
    /// Names the place of the calendar: what another one said does not count.
    pub place: String,
    pub read_at: Timestamp,
    pub absences: Absences,
}

/// What calendars said, until that is over.
pub(crate) const ABSENCES: TypedTable<AbsenceRow> =
    TypedTable::new(Table::Absence, "the row of a person's absences");
