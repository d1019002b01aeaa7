//! What people did in their roles, by person and when that ended. A row never changes: it is
//! written with the event that ended it, by whichever engine decided that.

use serde::{Deserialize, Serialize};
use tocsin_core::{IncidentId, PersonId, RoleTime, Timestamp};
use tocsin_store::{Store, Table};

use super::{LOAD_KEPT_MS, PAGE_ROWS, RowWrites, TypedTable};
use crate::runtime::error::EngineError;

/// Most rows of a person that one question reads; later ones do not count.
const ROWS_MAX: usize = 100_000;

/// A role of a person in an incident, from when until when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleRow {
    pub incident: IncidentId,
    #[serde(flatten)]
    pub time: RoleTime,
}

const ROLE_TIMES: TypedTable<RoleRow> = TypedTable::new(Table::RoleTime, "a person's role");

/// Keeps what somebody did in a role.
///
/// # Errors
/// [`EngineError::Damaged`] when it cannot be expressed as JSON.
pub(crate) fn add(row: &RoleRow) -> Result<RowWrites, EngineError> {
    let RoleRow { incident, time } = row;
    let ended = begin_of(&time.person, time.until);
    let key = format!("{ended}/{incident}/{}", time.role);
    ROLE_TIMES.put_until(&key, row, Some(time.until.plus_ms(LOAD_KEPT_MS)))
}

/// What a person did in roles that ended at a time or later.
///
/// # Errors
/// [`EngineError`] when the store fails or a row is damaged.
pub fn ended_since(
    store: &dyn Store,
    person: &PersonId,
    from: Timestamp,
) -> Result<Vec<RoleRow>, EngineError> {
    let mut rows = Vec::new();
    let mut after = Some(begin_of(person, from));
    while rows.len() < ROWS_MAX {
        let page = ROLE_TIMES.page(store, &format!("{person}/"), after.as_deref(), PAGE_ROWS)?;
        let is_last = page.len() < PAGE_ROWS;
        after = page.last().map(|(key, _)| key.clone());
        rows.extend(page.into_iter().map(|(_, row)| row.value));
        if is_last {
            break;
        }
    }
    Ok(rows)
}

/// What the keys of what ended at a time begin with. Byte order is the order of time.
fn begin_of(person: &PersonId, ended: Timestamp) -> String {
    format!("{person}/{:015}", ended.0.max(0))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use tocsin_core::Role;
    use tocsin_store::{Batch, MemoryStore};

    use super::*;

    #[test]
    fn however_much_somebody_did_is_read_by_when_it_ended() {
        let store = MemoryStore::default();
        let row = |person: &str, until: i64| RoleRow {
            incident: format!("i{until}").as_str().into(),
            time: RoleTime {
                role: Role::Operator,
                person: person.into(),
                from: Timestamp(0),
                until: Timestamp(until),
            },
        };
        let rows = i64::try_from(2 * PAGE_ROWS + 3).unwrap();
        for until in 0..rows {
            let mut batch = Batch::default();
            for person in ["ada", "ada-2", "bob"] {
                add(&row(person, until)).unwrap().lay_out(&mut batch);
            }
            store.commit(vec![batch]).unwrap().remove(0).unwrap();
        }
        let ended = |from: i64| ended_since(&store, &"ada".into(), Timestamp(from)).unwrap();
        assert_eq!(ended(0).len(), 2 * PAGE_ROWS + 3);
        assert_eq!(ended(rows - 1), [row("ada", rows - 1)]);
        assert_eq!(ended(rows), []);
        let over = Timestamp(rows).plus_ms(LOAD_KEPT_MS);
        store.expire(over, 10 * PAGE_ROWS).unwrap();
        assert_eq!(ended(0), []);
    }
}
