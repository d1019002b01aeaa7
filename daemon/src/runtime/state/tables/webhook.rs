//! Answers of handled webhooks, by deduplication key, for an hour.

use serde::{Deserialize, Serialize};
use tocsin_core::Timestamp;
use tocsin_core::time::HOUR_MS;
use tocsin_store::{Store, Table};

use super::{Row, RowWrites, TypedTable};
use crate::runtime::error::EngineError;

/// How long an answer is remembered, in milliseconds: an hour. Longer than any signature is
/// valid, and than Slack repeats.
const TTL_MS: u64 = HOUR_MS;

const WEBHOOKS: TypedTable<WebhookAnswer> =
    TypedTable::new(Table::Webhook, "the answer of a webhook");

/// A stored answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WebhookAnswer {
    /// The HTTP status.
    pub status: u16,
    /// Names and values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, String)>,
    /// In base 64.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub body: String,
    /// When the last request that got it was signed, in seconds since 1970; absent if the sender
    /// signs no time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_s: Option<u64>,
}

/// The answer that a webhook got, while it is remembered.
///
/// # Errors
/// [`EngineError`] when the store fails or the row is damaged.
pub fn answer(
    store: &dyn Store,
    key: &str,
    now: Timestamp,
) -> Result<Option<Row<WebhookAnswer>>, EngineError> {
    let row = WEBHOOKS.get(store, key)?;
    Ok(row.filter(|row| row.is_live(now)))
}

/// Stores an answer. An expired one is overwritten; of two new ones the
/// second is refused.
///
/// # Errors
/// As [`answer`].
pub fn remember(
    store: &dyn Store,
    key: &str,
    answer: &WebhookAnswer,
    now: Timestamp,
) -> Result<RowWrites, EngineError> {
    let old = WEBHOOKS.get(store, key)?.filter(|row| !row.is_live(now));
    write(key, answer, old.map_or(0, |row| row.revision), now)
}

/// Stores that a request signed at `signed_s` got the answer of `row` too.
///
/// # Errors
/// As [`answer`].
pub fn answered_again(
    key: &str,
    mut row: Row<WebhookAnswer>,
    signed_s: u64,
    now: Timestamp,
) -> Result<RowWrites, EngineError> {
    row.value.signed_s = Some(signed_s);
    write(key, &row.value, row.revision, now)
}

fn write(
    key: &str,
    answer: &WebhookAnswer,
    revision: u64,
    now: Timestamp,
) -> Result<RowWrites, EngineError> {
    let write = WEBHOOKS.put_until(key, answer, Some(now.plus_ms(TTL_MS)))?;
    Ok(write.if_at(revision))
}
