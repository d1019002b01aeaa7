//! Effects that plugins have begun or finished, by their digest, for a week: longer than any
//! retry.

use serde::{Deserialize, Serialize};
use tocsin_core::Timestamp;
use tocsin_core::time::HOUR_MS;
use tocsin_store::{Store, Table};

use super::blob::{self, Head};
use super::{RowWrites, TypedTable};
use crate::runtime::error::EngineError;

/// How long an effect is remembered, in milliseconds: a week.
const TTL_MS: u64 = 7 * 24 * HOUR_MS;

const EFFECTS: TypedTable<EffectRow> = TypedTable::new(Table::Effect, "the row of an effect");
const PARTS: TypedTable<Head> = TypedTable::new(Table::Effect, "a part of an effect's answer");

/// The stored record of an effect.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum EffectRow {
    /// The request was about to be sent.
    Started {
        started: Timestamp,
        plugin: String,
        once: String,
    },
    Finished(Head),
}

/// The state of an effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// Its request was sent, and the answer is unknown.
    Started,
    /// The bytes of its answer.
    Finished(Vec<u8>),
}

/// The state of an effect, if it is stored.
///
/// # Errors
/// [`EngineError`] when the store fails or the row is damaged.
pub fn known(store: &dyn Store, digest: &str) -> Result<Option<Known>, EngineError> {
    match EFFECTS.get(store, digest)?.map(|row| row.value) {
        Some(EffectRow::Started { .. }) => Ok(Some(Known::Started)),
        Some(EffectRow::Finished(head)) => {
            let bytes = blob::read(&PARTS, store, digest, &head)?;
            Ok(Some(Known::Finished(bytes)))
        }
        None => Ok(None),
    }
}

/// Marks an effect before its request leaves, unless it is known already.
///
/// # Errors
/// [`EngineError::Damaged`] when it cannot be expressed as JSON.
pub fn start(
    digest: &str,
    plugin: &str,
    once: &str,
    now: Timestamp,
) -> Result<RowWrites, EngineError> {
    let mark = EffectRow::Started {
        started: now,
        plugin: plugin.to_owned(),
        once: once.to_owned(),
    };
    let expires_at = Some(now.plus_ms(TTL_MS));
    Ok(EFFECTS.put_until(digest, &mark, expires_at)?.if_at(0))
}

/// Keeps an effect's answer.
///
/// # Errors
/// As [`start`].
pub fn finish(digest: &str, answer: &[u8], now: Timestamp) -> Result<RowWrites, EngineError> {
    blob::write(&PARTS, digest, answer, Some(now.plus_ms(TTL_MS)), None)
}

/// Forgets an effect and its answer; nothing when it is not known.
///
/// # Errors
/// [`EngineError`] when the store fails or the row is damaged.
pub fn forget(store: &dyn Store, digest: &str) -> Result<RowWrites, EngineError> {
    Ok(match EFFECTS.get(store, digest)?.map(|row| row.value) {
        Some(EffectRow::Started { .. }) => blob::remove(&PARTS, digest, None),
        Some(EffectRow::Finished(head)) => blob::remove(&PARTS, digest, Some(&head)),
        None => RowWrites::default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_earlier_releases_are_read() {
        let mark = serde_json::json!({"started": 7, "plugin": "slack", "once": "page:1"});
        let answer = serde_json::json!({"b64": "aGk=", "more": 0});
        let read = |value| serde_json::from_value::<EffectRow>(value).unwrap();
        assert!(matches!(read(mark), EffectRow::Started { .. }));
        assert!(matches!(read(answer), EffectRow::Finished(_)));
    }
}
