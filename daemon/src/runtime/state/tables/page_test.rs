//! Tests of the way to a person, by the person and the test's number, for a week.

use tocsin_core::time::HOUR_MS;
use tocsin_core::trial::TestPage;
use tocsin_core::{PersonId, TestId, Timestamp};
use tocsin_store::{Store, Table};

use super::{Row, RowWrites, TypedTable};
use crate::runtime::error::EngineError;

/// How long a test is kept, in milliseconds: a week, as its button works for no longer.
const TTL_MS: u64 = 7 * 24 * HOUR_MS;
/// Most tests of a person that are kept; those of the last hour are fewer.
pub(crate) const TESTS_KEPT_MAX: usize = 64;

const PAGE_TESTS: TypedTable<TestPage> = TypedTable::new(Table::PageTest, "a test page");

/// The tests of a person that are kept, the oldest first.
///
/// # Errors
/// [`EngineError`] when the store fails or a row is damaged.
pub fn of_person(
    store: &dyn Store,
    person: &PersonId,
    now: Timestamp,
) -> Result<Vec<(TestId, TestPage)>, EngineError> {
    // A few more than are kept are there until the next one begins.
    let rows = PAGE_TESTS.page(store, &prefix_of(person), None, 2 * TESTS_KEPT_MAX)?;
    let live = rows.into_iter().filter(|(_, row)| row.is_live(now));
    let with_id = live.filter_map(|(key, row)| {
        let number = key.rsplit('/').next()?.parse().ok()?;
        let person = person.clone();
        Some((TestId { person, number }, row.value))
    });
    Ok(with_id.collect())
}

/// A test, with its revision.
///
/// # Errors
/// As [`of_person`].
pub(crate) fn row(store: &dyn Store, id: &TestId) -> Result<Option<Row<TestPage>>, EngineError> {
    PAGE_TESTS.get(store, &key_of(id))
}

/// A test; `None` if it is not known, or no longer.
///
/// # Errors
/// As [`of_person`].
pub fn test(store: &dyn Store, id: &TestId) -> Result<Option<TestPage>, EngineError> {
    Ok(row(store, id)?.map(|it| it.value))
}

/// Writes a test in place of the revision that was read; 0: a new one.
///
/// # Errors
/// [`EngineError::Damaged`] when it cannot be expressed as JSON.
pub(crate) fn put(id: &TestId, test: &TestPage, revision: u64) -> Result<RowWrites, EngineError> {
    let expires_at = Some(test.at.plus_ms(TTL_MS));
    Ok(PAGE_TESTS
        .put_until(&key_of(id), test, expires_at)?
        .if_at(revision))
}

/// Forgets a test.
pub(crate) fn remove(id: &TestId) -> RowWrites {
    PAGE_TESTS.remove(&key_of(id))
}

/// In the order of their numbers.
fn key_of(id: &TestId) -> String {
    format!("{}{:020}", prefix_of(&id.person), id.number)
}

fn prefix_of(person: &PersonId) -> String {
    format!("{person}/")
}
