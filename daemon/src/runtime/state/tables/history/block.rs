//! A block: consecutive entries, compressed, in one row.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tocsin_core::Timestamp;
use tocsin_core::intake::HistoryEntry;
use tocsin_store::chunk::{self, Packed};

use crate::runtime::error::EngineError;

/// Most bytes of compressed entries in a block: with base 64 and its frame under a store's largest
/// value.
const CHUNK_BYTES_MAX: usize = 6_000;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Block {
    /// The time of its first entry.
    pub(super) from: Timestamp,
    /// The latest time in this block and those before.
    pub(super) latest: Timestamp,
    pub(super) entries: u64,
    data: Data,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Data {
    /// A chunk in base 64.
    Chunk(String),
    /// An entry that would not get smaller.
    Single(Value),
}

/// Packs entries in the order of their keys; `latest`: the latest time in the blocks before.
pub(super) fn blocks(
    entries: &[HistoryEntry],
    mut latest: Timestamp,
) -> Result<Vec<Block>, EngineError> {
    let texts = entries.iter().map(serde_json::to_vec);
    let texts = texts.collect::<Result<Vec<_>, _>>().map_err(damaged)?;
    let mut blocks = Vec::new();
    let mut left = entries;
    for packed in chunk::pack_within(&texts, CHUNK_BYTES_MAX) {
        let count = usize::try_from(packed.events).unwrap_or(usize::MAX);
        let (these, after) = left.split_at(count.min(left.len()));
        left = after;
        if let (Some(first), Some(last)) = (these.first(), these.last()) {
            latest = latest.max(last.at);
            blocks.push(Block {
                from: first.at,
                latest,
                entries: packed.events,
                data: Data::of(packed)?,
            });
        }
    }
    Ok(blocks)
}

impl Block {
    /// How much of the store it takes, in bytes of its data.
    pub(super) fn bytes(&self) -> u64 {
        let bytes = match &self.data {
            Data::Chunk(text) => text.len(),
            Data::Single(entry) => entry.to_string().len(),
        };
        bytes as u64
    }

    /// The JSON of its entries.
    pub(super) fn texts(&self) -> Result<Vec<Vec<u8>>, EngineError> {
        match &self.data {
            Data::Chunk(text) => {
                let bytes = BASE64_STANDARD.decode(text).map_err(damaged)?;
                chunk::unpack(&bytes).map_err(damaged)
            }
            Data::Single(entry) => Ok(vec![entry.to_string().into_bytes()]),
        }
    }
}

impl Data {
    fn of(packed: Packed) -> Result<Self, EngineError> {
        match chunk::is_chunk(&packed.value) {
            true => Ok(Self::Chunk(BASE64_STANDARD.encode(&packed.value))),
            false => {
                let entry = serde_json::from_slice(&packed.value).map_err(damaged)?;
                Ok(Self::Single(entry))
            }
        }
    }
}

pub(super) fn damaged(error: impl std::fmt::Display) -> EngineError {
    EngineError::Damaged(format!("a block of the history: {error}"))
}
