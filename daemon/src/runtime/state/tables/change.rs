//! Recent changes, for policies: an alert is often caused by a recent deployment.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use tocsin_core::Timestamp;
use tocsin_core::time::HOUR_MS;
use tocsin_policy::ChangeFacts;
use tocsin_store::{Store, Table, VALUE_BYTES_MAX};

use super::{RowWrites, TypedTable};
use crate::change::Change;
use crate::runtime::error::EngineError;

/// How long a change is kept, in milliseconds: thirty days.
const TTL_MS: u64 = 30 * 24 * HOUR_MS;
/// Most changes passed to policies.
const CHANGES_MAX: usize = 20;
/// How far back they are looked for, in milliseconds: further only while there are too few.
const WINDOWS_MS: [u64; 3] = [HOUR_MS, 24 * HOUR_MS, 7 * 24 * HOUR_MS];
/// Rows that one look reads.
const ROWS_MAX: usize = 1_000;

/// Most changes that one look for the latest of some services reads.
const LOOKED_AT_MAX: usize = 10_000;

const CHANGES: TypedTable<Change> = TypedTable::new(Table::Change, "the row of a change");

/// Stores a change; links are left out, the last first, until it fits. `id` distinguishes changes
/// at the same time.
///
/// # Errors
/// [`EngineError::Damaged`] when it cannot be expressed as JSON.
pub fn record(mut change: Change, id: &str, now: Timestamp) -> Result<RowWrites, EngineError> {
    let bytes = |change: &Change| serde_json::to_vec(change).map_or(0, |json| json.len());
    while bytes(&change) > VALUE_BYTES_MAX && change.links.pop().is_some() {}
    let key = change_key(change.timestamp, id);
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
        newest = newest_rows.map(|(_, row)| facts(row.value)).collect();
        if is_cut || newest.len() == CHANGES_MAX {
            break;
        }
    }
    Ok(newest)
}

/// The latest change of each of these services from `from` to `now`; none if there are more than
/// [`LOOKED_AT_MAX`] changes in that time, as an older one is not the latest.
///
/// # Errors
/// [`EngineError`] when the store cannot be read or a row is damaged.
pub fn latest_changes_of(
    store: &dyn Store,
    services: &BTreeSet<&str>,
    from: Timestamp,
    now: Timestamp,
) -> Result<BTreeMap<String, ChangeFacts>, EngineError> {
    let (mut latest, mut looked_at) = (BTreeMap::new(), 0);
    if services.is_empty() {
        return Ok(latest);
    }
    let end = change_key(now.plus_ms(1), "");
    CHANGES.for_each_after(store, Some(change_key(from, "")), |key, change| {
        looked_at += 1;
        if key >= end.as_str() || looked_at > LOOKED_AT_MAX {
            return Ok(ControlFlow::Break(()));
        }
        let change = facts(change);
        if services.contains(change.service.as_str()) {
            latest.insert(change.service.clone(), change);
        }
        Ok(ControlFlow::Continue(()))
    })?;
    if looked_at > LOOKED_AT_MAX {
        latest.clear();
    }
    Ok(latest)
}

fn facts(change: Change) -> ChangeFacts {
    ChangeFacts {
        service: change.service.unwrap_or_default(),
        title: change.summary,
        at: change.timestamp,
        link: change.links.into_iter().next().map(|it| it.href),
    }
}
