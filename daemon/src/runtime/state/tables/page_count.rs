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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use tocsin_store::{Batch, MemoryStore};

    use super::*;

    #[test]
    fn pages_are_counted_by_the_quarter_of_an_hour_and_kept_for_400_days() {
        let store = MemoryStore::default();
        let ada = PersonId::from("ada");
        let at = |minutes: u64| Timestamp(0).plus_ms(20_000 * DAY_MS + minutes * MINUTE_MS);
        let page = |person: &str, now| {
            let mut batch = Batch::default();
            let counted = add(&store, &person.into(), now).unwrap();
            counted.lay_out(&mut batch);
            store.commit(vec![batch]).unwrap().remove(0).unwrap();
        };
        for minutes in [14, 15, 29, 30, 24 * 60] {
            page("ada", at(minutes));
        }
        // The key of one person is the beginning of another's.
        page("ada-2", at(15));
        let pages = |from, until| pages_of(&store, &ada, (at(from), at(until))).unwrap();
        let all = [(at(0), 1), (at(15), 2), (at(30), 1), (at(24 * 60), 1)];
        assert_eq!(pages(0, 48 * 60), all);
        assert_eq!(pages(15, 30), all[1..2]);
        assert_eq!(pages(31, 24 * 60), []);
        let kept = |days: u64| {
            store.expire(at(31).plus_ms(days * DAY_MS), 10).unwrap();
            pages(0, 24 * 60).len()
        };
        assert_eq!((kept(399), kept(400)), (3, 0));
    }
}
