//! The last changes of each service, by the service's name: what an incident that opens looks at.

use serde::{Deserialize, Serialize};
use tocsin_core::limits::{NAME_BYTES_MAX, SUSPECT_WITHIN_MS_MAX};
use tocsin_core::{ChangeBrief, Timestamp};
use tocsin_store::{Table, VALUE_BYTES_MAX};

use super::{RowWrites, TypedTable};
use crate::runtime::error::EngineError;

/// Most changes of a service that its row keeps.
const KEPT_MAX: usize = 20;

/// The last changes of a service.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ServiceChanges {
    /// In the order of time.
    pub newest: Vec<ChangeBrief>,
}

/// Until none of its changes can be suspected of a new incident.
pub(crate) const SERVICE_CHANGES: TypedTable<ServiceChanges> =
    TypedTable::new(Table::ServiceChange, "the row of a service's changes");

impl ServiceChanges {
    /// Adds a change, unless it is known; the oldest ones are left out until the row fits.
    pub(crate) fn add(&mut self, change: ChangeBrief) {
        if self.newest.iter().any(|it| it.id == change.id) {
            return;
        }
        self.newest.push(change);
        self.newest.sort_by_key(|it| it.at);
        while self.newest.len() > 1 && (self.newest.len() > KEPT_MAX || self.is_too_large()) {
            self.newest.remove(0);
        }
    }

    fn is_too_large(&self) -> bool {
        serde_json::to_vec(self).map_or(0, |json| json.len()) > VALUE_BYTES_MAX
    }
}

/// Whether a row can have this name.
pub(crate) fn is_name(service: &str) -> bool {
    !service.is_empty() && service.len() <= NAME_BYTES_MAX
}

/// Writes the row of a service.
///
/// # Errors
/// [`EngineError::Damaged`] when it cannot be expressed as JSON.
pub(crate) fn put(
    service: &str,
    changes: &ServiceChanges,
    now: Timestamp,
) -> Result<RowWrites, EngineError> {
    let until = now.plus_ms(SUSPECT_WITHIN_MS_MAX);
    SERVICE_CHANGES.put_until(service, changes, Some(until))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(number: i64, title_bytes: usize) -> ChangeBrief {
        ChangeBrief {
            id: number.to_string().as_str().into(),
            at: Timestamp(number),
            title: "x".repeat(title_bytes),
            link: None,
        }
    }

    #[test]
    fn the_newest_changes_are_kept_once_each_as_far_as_a_row_holds() {
        for (title_bytes, kept) in [(10, KEPT_MAX), (3_000, 2)] {
            let mut row = ServiceChanges::default();
            for number in (0..30).rev().chain(0..30) {
                row.add(change(number, title_bytes));
            }
            let ids: Vec<_> = row.newest.iter().map(|it| it.at.0).collect();
            let first = 30 - i64::try_from(kept).unwrap();
            assert_eq!(ids, (first..30).collect::<Vec<_>>());
        }
    }
}
