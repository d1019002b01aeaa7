//! One line per incident, by number: what lists are made of, so that a list never reads streams.

use tocsin_core::Timestamp;
use tocsin_core::incident::Incident;
use tocsin_store::{Store, Table};

use super::{RowWrites, TypedTable};
use crate::disclosure::Summary;
use crate::runtime::error::EngineError;

const SUMMARIES: TypedTable<Summary> =
    TypedTable::new(Table::Summary, "the summary of an incident");
/// Lines that one read brings, and reads that one list makes, at most.
const WINDOW_ROWS: u64 = 256;
const WINDOWS_MAX: usize = 64;

/// The line of the incident with a number.
///
/// # Errors
/// [`EngineError`] when the store fails or the row is damaged.
pub fn of_number(store: &dyn Store, number: u64) -> Result<Option<Summary>, EngineError> {
    Ok(SUMMARIES.get(store, &row_key(number))?.map(|row| row.value))
}

/// Lines with higher numbers than `after`, the lowest first, at most `limit`.
///
/// # Errors
/// As [`of_number`].
pub fn after(
    store: &dyn Store,
    after: Option<u64>,
    limit: usize,
) -> Result<Vec<Summary>, EngineError> {
    let after = after.map(row_key);
    let rows = SUMMARIES.page(store, "", after.as_deref(), limit)?;
    Ok(rows.into_iter().map(|(_, row)| row.value).collect())
}

/// Lines with lower numbers than `before`, the newest first, at most `limit`, and where the next
/// page begins. The store reads upwards, so this reads window by window downwards; `last` is the
/// highest number.
///
/// # Errors
/// As [`of_number`].
pub fn newest(
    store: &dyn Store,
    last: u64,
    before: Option<u64>,
    limit: usize,
    takes: impl Fn(&Summary) -> bool,
) -> Result<(Vec<Summary>, Option<u64>), EngineError> {
    let mut end = before.unwrap_or(u64::MAX).min(last.saturating_add(1));
    let mut found = Vec::new();
    for _ in 0..WINDOWS_MAX {
        if end <= 1 {
            return Ok((found, None));
        }
        let start = end.saturating_sub(WINDOW_ROWS + 1);
        let count = usize::try_from(end - start - 1).unwrap_or(0);
        for summary in after(store, Some(start), count)?.into_iter().rev() {
            let number = summary.number();
            if number >= end || !takes(&summary) {
                continue;
            }
            found.push(summary);
            if found.len() == limit {
                return Ok((found, (number > 1).then_some(number)));
            }
        }
        end = start + 1;
    }
    Ok((found, Some(end)))
}

/// Passes the line of each incident that opened since a time, the newest first. Numbers rise with
/// time.
///
/// # Errors
/// As [`of_number`].
pub fn opened_since(
    store: &dyn Store,
    last: u64,
    since: Timestamp,
    mut see: impl FnMut(&Summary),
) -> Result<(), EngineError> {
    let limit = usize::try_from(WINDOW_ROWS).unwrap_or(1);
    let mut before = None;
    loop {
        let (found, next) = newest(store, last, before, limit, |_| true)?;
        let is_over = found.last().is_some_and(|it| it.opened_at() < since);
        let within = found.iter().filter(|it| it.opened_at() >= since);
        within.for_each(&mut see);
        match next {
            Some(next) if !is_over => before = Some(next),
            _ => return Ok(()),
        }
    }
}

/// Writes an incident's line.
///
/// # Errors
/// [`EngineError::Damaged`] when it cannot be expressed as JSON.
pub(crate) fn put(incident: &Incident) -> Result<RowWrites, EngineError> {
    SUMMARIES.put(&row_key(incident.number), &Summary::of(incident))
}

/// Byte order is the order of numbers.
fn row_key(number: u64) -> String {
    format!("{number:012}")
}
