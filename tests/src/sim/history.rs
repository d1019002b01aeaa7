//! Checks the history of alerts against their rows.

use std::collections::BTreeMap;

use tocsin::runtime::decode_row;
use tocsin::runtime::history::HistoryReader;
use tocsin_core::intake::HistoryEntry;
use tocsin_core::{Alert, Timestamp};
use tocsin_store::{Store, Table};

use super::check::text;

/// Entries that are packed together: few, so that it happens in a short run.
pub(super) const PACKED_TOGETHER: usize = 8;
/// Most rows per read; no simulated run has that many.
const ROWS_MAX: usize = 10_000;

/// Checks that the entries of every alert are in order, and that its newest one says what its row
/// says.
///
/// # Errors
/// What differs.
pub(super) fn agrees(store: &dyn Store) -> Result<(), String> {
    let ever = (Timestamp(0), Timestamp(i64::MAX));
    let reader = HistoryReader::between(store, None, ever.0, ever.1).map_err(text)?;
    let mut newest: BTreeMap<String, HistoryEntry> = BTreeMap::new();
    for entry in reader {
        let entry = entry.map_err(text)?;
        let (key, at) = (entry.alert_key(), entry.at);
        let before = newest.insert(key.clone(), entry);
        if let Some(before) = before.filter(|it| it.at >= at) {
            return Err(format!(
                "the history of alert {key} has {at} after {}",
                before.at
            ));
        }
    }
    for (key, row) in store.rows(Table::Alert, "", None, ROWS_MAX).map_err(text)? {
        let alert: Alert = decode_row("an alert", &row.value).map_err(text)?;
        let noted = |it: &HistoryEntry| {
            let said = (it.firing, &it.title, &it.labels);
            Some(it.at) == alert.noted_at && said == (alert.firing, &alert.title, &alert.labels)
        };
        if !newest.get(&key).is_some_and(noted) {
            let entry = newest.get(&key);
            return Err(format!(
                "alert {key} is {alert:?}, and its newest entry in the history {entry:?}"
            ));
        }
    }
    Ok(())
}
