//! How often people were paged, by person and day of UTC. A day is counted by the quarter of an
//! hour, of which nights consist in every time zone. Only the batch that sends a message writes its
//! person's row, and it guards their pager, so that no count is lost.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tocsin_core::time::{HOUR_MS, MINUTE_MS};
use tocsin_core::{PersonId, Timestamp};
use tocsin_store::{Store, Table};

use super::{LOAD_KEPT_MS, RowWrites, TypedTable};
use crate::runtime::error::EngineError;

const DAY_MS: u64 = 24 * HOUR_MS;
const QUARTER_MS: u64 = 15 * MINUTE_MS;
/// Most days of a person that one read brings: as many as are kept, and those that expire soon.
const DAYS_MAX: usize = 512;

/// The pages of a day.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
struct DayCount {
    /// By the quarter of an hour, from 0 to 95.
    quarters: BTreeMap<u64, u64>,
}

const COUNTS: TypedTable<DayCount> = TypedTable::new(Table::PageCount, "a day's count of pages");

/// Counts that a person was paged. The caller guards their pager.
///
/// # Errors
/// [`EngineError`] when the store fails or the row is damaged.
pub(crate) fn add(
    store: &dyn Store,
    person: &PersonId,
    now: Timestamp,
) -> Result<RowWrites, EngineError> {
    let (day, quarter) = (day_of(now), now.since(Timestamp(0)) % DAY_MS / QUARTER_MS);
    let key = key_of(person, day);
    let mut count = COUNTS.get(store, &key)?.map(|it| it.value);
    let quarters = &mut count.get_or_insert_default().quarters;
    *quarters.entry(quarter).or_default() += 1;
    let until = now.plus_ms(LOAD_KEPT_MS);
    COUNTS.put_until(&key, &count.unwrap_or_default(), Some(until))
}

/// How often a person was paged between two times, by the beginning of the quarter of an hour.
///
/// # Errors
/// As [`add`].
pub fn pages_of(
    store: &dyn Store,
    person: &PersonId,
    (from, until): (Timestamp, Timestamp),
) -> Result<Vec<(Timestamp, u64)>, EngineError> {
    let after = day_of(from).checked_sub(1).map(|day| key_of(person, day));
    let prefix = format!("{person}/");
    let days = COUNTS.page(store, &prefix, after.as_deref(), DAYS_MAX)?;
    let mut pages = Vec::new();
    for (key, row) in days {
        let day = key.rsplit('/').next().and_then(|it| it.parse::<u64>().ok());
        let begins = Timestamp(0).plus_ms(day.unwrap_or_default() * DAY_MS);
        let quarters = row.value.quarters.into_iter();
        let quarters = quarters.map(|(at, count)| (begins.plus_ms(at * QUARTER_MS), count));
        pages.extend(quarters.filter(|(at, _)| from <= *at && *at < until));
    }
    Ok(pages)
}

/// The day of UTC since the epoch.
fn day_of(at: Timestamp) -> u64 {
    at.since(Timestamp(0)) / DAY_MS
}

/// Byte order is the order of days.
fn key_of(person: &PersonId, day: u64) -> String {
    format!("{person}/{day:06}")
}
