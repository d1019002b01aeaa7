//! A planted bug of alerts that wait for others.

use serde_json::json;
use tocsin_store::{Batch, Table};

/// Later than any simulation, in milliseconds since 1970.
const NEVER_MS: i64 = i64::MAX / 2;

/// The batch, with waits that never end.
pub(super) fn endless(mut batch: Batch) -> Batch {
    let alerts = batch
        .rows
        .iter_mut()
        .filter(|row| row.table == Table::Alert);
    for row in alerts {
        let Some(value) = row.value.take() else {
            continue;
        };
        let mut value = value.into_value();
        if let Some(until) = value.pointer_mut("/place/until") {
            *until = json!(NEVER_MS);
        }
        row.value = Some(value.into());
    }
    batch
}
