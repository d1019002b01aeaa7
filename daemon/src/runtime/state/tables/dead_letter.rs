//! Deliveries that were given up, in the order of time, for thirty days.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tocsin_core::time::HOUR_MS;
use tocsin_core::{Timestamp, cut};
use tocsin_store::{Claimed, Class, Store, Table};

use super::{RowWrites, TypedTable};
use crate::runtime::error::EngineError;

/// How long a delivery that was given up is shown, in milliseconds: thirty days.
const TTL_MS: u64 = 30 * 24 * HOUR_MS;
/// Longest reason, in bytes.
const REASON_BYTES_MAX: usize = 1_024;
/// Longest body that is kept whole, in bytes.
const BODY_BYTES_MAX: usize = 5 * 1_024;
/// Rows per read while counting.
const PAGE_ROWS: usize = 1_000;

const DEAD_LETTERS: TypedTable<DeadLetter> =
    TypedTable::new(Table::DeadLetter, "the row of a dead letter");

/// A delivery that was given up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// The delivery; the beginning of its text if it was too long.
    pub body: Value,
    /// The lane that it waited in.
    pub lane: String,
    pub class: Class,
    /// How many attempts were made.
    pub attempts: u32,
    /// The error of the last attempt.
    pub why: String,
    /// When it was given up.
    pub at: Timestamp,
}

/// Stores a delivery that is given up.
///
/// # Errors
/// [`EngineError::Damaged`] when it cannot be expressed as JSON.
pub(crate) fn add(claim: &Claimed, why: &str, now: Timestamp) -> Result<RowWrites, EngineError> {
    let letter = DeadLetter {
        body: kept(&claim.row.body),
        lane: claim.row.key.lane.clone(),
        class: claim.row.key.class,
        attempts: claim.row.attempts,
        why: cut(why.to_owned(), REASON_BYTES_MAX),
        at: now,
    };
    let key = format!("{:015}-{}", now.0, claim.row.key.seq);
    DEAD_LETTERS.put_until(&key, &letter, Some(now.plus_ms(TTL_MS)))
}

/// How many deliveries were given up since `since`, counted to `max`, and why the newest was.
///
/// # Errors
/// [`EngineError`] when the store fails or a row is damaged.
pub fn count_since(
    store: &dyn Store,
    since: Timestamp,
    max: usize,
) -> Result<(usize, Option<String>), EngineError> {
    let mut after = format!("{:015}", since.0);
    let (mut count, mut newest) = (0, None);
    while count < max {
        let mut rows = DEAD_LETTERS.page(store, "", Some(&after), PAGE_ROWS)?;
        count += rows.len();
        let Some((key, row)) = rows.pop() else { break };
        newest = Some(row.value.why);
        after = key;
    }
    Ok((count, newest))
}

/// The body to store, cut so that the whole dead letter fits into a value.
fn kept(body: &Value) -> Value {
    let text = body.to_string();
    if text.len() <= BODY_BYTES_MAX {
        return body.clone();
    }
    Value::from(cut(text, BODY_BYTES_MAX / 2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_dead_letter_keeps_a_body_that_fits_and_the_beginning_of_one_that_does_not() {
        let small = json!({ "payload": "{}" });
        assert_eq!(kept(&small), small);
        let large = json!({ "payload": "\"".repeat(4_000) });
        let kept = kept(&large);
        assert!(
            kept.as_str()
                .is_some_and(|it| it.starts_with("{\"payload\""))
        );
        assert!(kept.to_string().len() < 6 * 1_024, "{kept}");
    }
}
