//! Recent changes, for policies: an alert is often caused by a recent deployment.

use tocsin_core::time::HOUR_MS;
use tocsin_core::{Change, Timestamp};
use tocsin_policy::ChangeFacts;
use tocsin_store::{Store, Table, VALUE_BYTES_MAX};

use super::{RowWrites, TypedTable};
use crate::runtime::error::EngineError;

/// How long a change is kept, in milliseconds: thirty days.
const TTL_MS: u64 = 30 * 24 * HOUR_MS;
/// Most changes passed to policies.
const CHANGES_MAX: usize = 20;
/// How far back they are looked for, in milliseconds: further only while there are too few.
const WINDOWS_MS: [u64; 3] = [HOUR_MS, 24 * HOUR_MS, 7 * 24 * HOUR_MS];
/// Rows that one look reads.
const ROWS_MAX: usize = 1_000;

const CHANGES: TypedTable<Change> = TypedTable::new(Table::Change, "the row of a change");

/// Stores a change; links are left out, the last first, until it fits.
///
/// # Errors
/// [`EngineError::Damaged`] when it cannot be expressed as JSON.
pub fn record(mut change: Change, now: Timestamp) -> Result<RowWrites, EngineError> {
    let bytes = |change: &Change| serde_json::to_vec(change).map_or(0, |json| json.len());
    while bytes(&change) > VALUE_BYTES_MAX && change.links.pop().is_some() {}
    let key = change_key(change.timestamp, change.id.as_str());
    CHANGES.put_until(&key, &change, Some(now.plus_ms(TTL_MS)))
}

/// The key of a change's row: in the order of time.
fn change_key(at: Timestamp, id: &str) -> String {
    format!("{:015}-{id}", at.0.max(0))
}

/// The newest changes up to `now`, the newest first; at most [`CHANGES_MAX`], none older than a
/// week. Of more than a thousand in an hour, the first thousand count.
///
/// # Errors
/// [`EngineError`] when the store cannot be read or a row is damaged.
pub fn newest_changes(store: &dyn Store, now: Timestamp) -> Result<Vec<ChangeFacts>, EngineError> {
    let end = change_key(now.plus_ms(1), "");
    let mut newest = Vec::new();
    for window_ms in WINDOWS_MS {
        let from = change_key(now.minus_ms(window_ms), "");
        let mut rows = CHANGES.page(store, "", Some(&from), ROWS_MAX)?;
        let is_cut = rows.len() == ROWS_MAX;
        if is_cut && !newest.is_empty() {
            break;
        }
        // Changes of a sender whose clock is ahead do not displace past changes.
        rows.retain(|(key, _)| *key < end);
        let newest_rows = rows.into_iter().rev().take(CHANGES_MAX);
        newest = newest_rows.flat_map(|(_, row)| facts(row.value)).collect();
        newest.truncate(CHANGES_MAX);
        if is_cut || newest.len() == CHANGES_MAX {
            break;
        }
    }
    Ok(newest)
}

/// What policies see of a change: one for each of its services.
fn facts(change: Change) -> Vec<ChangeFacts> {
    let link = change.links.into_iter().next().map(|it| it.href);
    let of = |service: String| ChangeFacts {
        service,
        title: change.summary.clone(),
        at: change.timestamp,
        link: link.clone(),
    };
    match change.services.is_empty() {
        true => vec![of(String::new())],
        false => change.services.iter().cloned().map(of).collect(),
    }
}
