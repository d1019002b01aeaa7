//! The changes of late, as policies see them: an alert that follows a deployment is often its
//! doing, and a policy that is told of none can never say so.

use tocsin_core::Timestamp;
use tocsin_core::time::HOUR_MS;
use tocsin_policy::ChangeFacts;
use tocsin_store::{Store, Stored, Table};

use crate::ingest::pagerduty::Change;
use crate::runtime::engine::request::EngineError;
use crate::runtime::state::view::decode_row;

/// Changes that policies are told of, the newest.
const CHANGES_MAX: usize = 20;
/// How far back they are looked for, in milliseconds: further only while there are too few.
const WINDOWS_MS: [u64; 3] = [HOUR_MS, 24 * HOUR_MS, 7 * 24 * HOUR_MS];
/// Rows that one look reads.
const ROWS_MAX: usize = 1_000;

/// The key of a change's row: in the order of time.
#[must_use]
pub(crate) fn change_key(at: Timestamp, id: &str) -> String {
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
        let mut rows = store.rows(Table::Change, "", Some(&from), ROWS_MAX)?;
        let is_cut = rows.len() == ROWS_MAX;
        if is_cut && !newest.is_empty() {
            break;
        }
        // A sender whose clock is ahead does not crowd out what has happened.
        rows.retain(|(key, _)| *key < end);
        let facts = rows
            .iter()
            .rev()
            .take(CHANGES_MAX)
            .map(|(_, row)| facts(row));
        newest = facts.collect::<Result<_, _>>()?;
        if is_cut || newest.len() == CHANGES_MAX {
            break;
        }
    }
    Ok(newest)
}

fn facts(row: &Stored) -> Result<ChangeFacts, EngineError> {
    let change: Change = decode_row("the row of a change", &row.value)?;
    Ok(ChangeFacts {
        service: change.service.unwrap_or_default(),
        title: change.summary,
        at: change.timestamp,
        link: change.links.into_iter().next().map(|it| it.href),
    })
}
