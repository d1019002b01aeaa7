//! Bytes of plugins as rows. A store takes values of at most 8 KiB, so longer ones are cut into
//! parts that are written and removed with their head in one batch.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use tocsin_core::Timestamp;
use tocsin_store::Store;

use super::{RowWrites, TypedTable};
use crate::runtime::error::EngineError;

/// Bytes of one part: with base 64 and its frame well under a store's largest value.
const PART_BYTES: usize = 5 * 1_024;
/// What the keys of parts begin with, and no head's does.
const PART_MARK: char = '\u{1}';

/// The head of a value: its first part, and how many follow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Head {
    b64: String,
    #[serde(default)]
    more: usize,
    /// How many bytes a value of several parts has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bytes: Option<usize>,
}

impl Head {
    /// How many bytes the value has, without reading its parts; a little more if an earlier
    /// release wrote it.
    pub(super) fn size_bytes(&self) -> usize {
        match self.more {
            0 => self.b64.trim_end_matches('=').len() * 3 / 4,
            more => self.bytes.unwrap_or((more + 1) * PART_BYTES),
        }
    }
}

/// Writes `bytes` under `key`, the head first, replacing the old value.
///
/// # Errors
/// [`EngineError::Damaged`] when a part cannot be expressed as JSON.
pub(super) fn write(
    table: &TypedTable<Head>,
    key: &str,
    bytes: &[u8],
    expires_at: Option<Timestamp>,
    before: Option<&Head>,
) -> Result<RowWrites, EngineError> {
    let mut parts: Vec<&[u8]> = bytes.chunks(PART_BYTES).collect();
    if parts.is_empty() {
        parts.push(&[]);
    }
    let more = parts.len() - 1;
    let mut write = RowWrites::default();
    for (at, part) in parts.into_iter().enumerate() {
        let head = Head {
            b64: BASE64_STANDARD.encode(part),
            more: if at == 0 { more } else { 0 },
            bytes: (at == 0 && more > 0).then_some(bytes.len()),
        };
        write = write.and(table.put_until(&part_key(key, at), &head, expires_at)?);
    }
    for at in more + 1..=before.map_or(0, |head| head.more) {
        write = write.and(table.remove(&part_key(key, at)));
    }
    Ok(write)
}

/// Removes the value under `key`, the head first.
pub(super) fn remove(table: &TypedTable<Head>, key: &str, before: Option<&Head>) -> RowWrites {
    let parts = 0..=before.map_or(0, |head| head.more);
    parts.fold(RowWrites::default(), |write, at| {
        write.and(table.remove(&part_key(key, at)))
    })
}

/// The bytes of a value, given its head.
///
/// # Errors
/// [`EngineError`] when the store fails or a part is missing or damaged.
pub(super) fn read(
    table: &TypedTable<Head>,
    store: &dyn Store,
    key: &str,
    head: &Head,
) -> Result<Vec<u8>, EngineError> {
    let mut bytes = unpack(key, &head.b64)?;
    for at in 1..=head.more {
        let part = table.get(store, &part_key(key, at))?;
        let part =
            part.ok_or_else(|| EngineError::Damaged(format!("part {at} of {key} is missing")))?;
        bytes.extend(unpack(key, &part.value.b64)?);
    }
    Ok(bytes)
}

fn unpack(key: &str, b64: &str) -> Result<Vec<u8>, EngineError> {
    BASE64_STANDARD
        .decode(b64)
        .map_err(|error| EngineError::Damaged(format!("the value of {key}: {error}")))
}

/// The key of a value's head, or of one of its further parts.
fn part_key(key: &str, at: usize) -> String {
    match at {
        0 => key.to_owned(),
        at => format!("{PART_MARK}{key}/{at:04}"),
    }
}
