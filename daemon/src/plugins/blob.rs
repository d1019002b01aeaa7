//! Bytes of plugins as rows. A store takes values of at most 8 KiB, so longer ones are cut into
//! parts that are written and removed with their head in one batch.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use tocsin_core::Timestamp;
use tocsin_store::{RowChange, Store, Stored, Table};

use crate::runtime::{EngineError, decode_row};

/// Bytes of one part: with base 64 and its frame well under a store's largest value.
const PART_BYTES: usize = 5 * 1_024;
/// What the keys of parts begin with, and no head's does.
const PART_MARK: char = '\u{1}';

/// The head of a value: its first part, and how many follow.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    b64: String,
    #[serde(default)]
    more: usize,
}

/// The rows that write `bytes` under `key`, given what stands there now.
///
/// # Errors
/// [`EngineError::Damaged`] when what stands there is no head.
pub(super) fn write(
    table: Table,
    key: &str,
    bytes: &[u8],
    expires_at: Option<Timestamp>,
    before: Option<&Stored>,
) -> Result<Vec<RowChange>, EngineError> {
    let mut parts: Vec<String> = bytes
        .chunks(PART_BYTES)
        .map(|part| BASE64_STANDARD.encode(part))
        .collect();
    if parts.is_empty() {
        parts.push(String::new());
    }
    let more = parts.len() - 1;
    let mut rows = Vec::new();
    for (at, b64) in parts.into_iter().enumerate() {
        let key = if at == 0 {
            key.to_owned()
        } else {
            part_key(key, at)
        };
        let head = Head {
            b64,
            more: if at == 0 { more } else { 0 },
        };
        let value = serde_json::to_value(head)
            .map_err(|error| EngineError::Damaged(format!("{key}: {error}")))?;
        rows.push(RowChange {
            table,
            key,
            value: Some(value.into()),
            expires_at,
        });
    }
    for at in more + 1..=parts_of(before)? {
        rows.push(removal(table, part_key(key, at)));
    }
    Ok(rows)
}

/// The rows that remove what stands under `key`.
///
/// # Errors
/// [`EngineError::Damaged`] when what stands there is no head.
pub(super) fn remove(
    table: Table,
    key: &str,
    before: Option<&Stored>,
) -> Result<Vec<RowChange>, EngineError> {
    let mut rows = vec![removal(table, key.to_owned())];
    rows.extend((1..=parts_of(before)?).map(|at| removal(table, part_key(key, at))));
    Ok(rows)
}

/// The bytes of a value, given its head.
///
/// # Errors
/// [`EngineError`] when the store fails or a part is missing or damaged.
pub(super) fn read(
    store: &dyn Store,
    table: Table,
    key: &str,
    head: &Stored,
) -> Result<Vec<u8>, EngineError> {
    let Head { b64, more } = decode_row("a plugin's value", &head.value)?;
    let mut bytes = unpack(key, &b64)?;
    for at in 1..=more {
        let part = part_key(key, at);
        let row = store.row(table, &part)?;
        let row = row.ok_or_else(|| EngineError::Damaged(format!("part {at} of {key} is gone")))?;
        let Head { b64, .. } = decode_row("a part of a plugin's value", &row.value)?;
        bytes.extend(unpack(key, &b64)?);
    }
    Ok(bytes)
}

/// Roughly how many bytes a value has, without reading its parts.
pub(super) fn size(head: &Stored) -> usize {
    match decode_row::<Head>("a plugin's value", &head.value) {
        Ok(Head { b64, more: 0 }) => b64.len() / 4 * 3,
        Ok(Head { more, .. }) => (more + 1) * PART_BYTES,
        Err(_) => 0,
    }
}

fn parts_of(before: Option<&Stored>) -> Result<usize, EngineError> {
    match before {
        Some(stored) => Ok(decode_row::<Head>("a plugin's value", &stored.value)?.more),
        None => Ok(0),
    }
}

fn unpack(key: &str, b64: &str) -> Result<Vec<u8>, EngineError> {
    BASE64_STANDARD
        .decode(b64)
        .map_err(|error| EngineError::Damaged(format!("the value of {key}: {error}")))
}

fn part_key(key: &str, at: usize) -> String {
    format!("{PART_MARK}{key}/{at:04}")
}

fn removal(table: Table, key: String) -> RowChange {
    RowChange {
        table,
        key,
        value: None,
        expires_at: None,
    }
}
