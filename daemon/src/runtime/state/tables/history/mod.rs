//! The history of alerts: what every signal that changed one said, and where it went. An entry is
//! first a row of its own, written with the alert; later many are packed into a compressed block.
//! It is kept as incidents are, forever, but for a limit on its size.

mod block;
mod pack;
mod read;

use serde::{Deserialize, Serialize};
use tocsin_core::Timestamp;
use tocsin_core::intake::HistoryEntry;
use tocsin_store::{Store, Table};

use super::{Row, RowWrites, TypedTable};
use crate::runtime::error::EngineError;
use block::Block;

pub use pack::{LOOSE_MS, PACKED_TOGETHER, Packing, pack};
pub use read::{HistoryOf, HistoryReader, Page, newest};

/// Most bytes of compressed entries; beyond that the oldest block goes. At a hundred bytes each,
/// this is more than two million entries.
pub const HISTORY_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// What the keys of entries begin with.
const ENTRY: &str = "e/";
/// What the keys of blocks begin with.
const BLOCK: &str = "b/";
const EXTENT: &str = "extent";

const ENTRIES: TypedTable<HistoryEntry> =
    TypedTable::new(Table::History, "an entry of the history");
const BLOCKS: TypedTable<Block> = TypedTable::new(Table::History, "a block of the history");
const EXTENTS: TypedTable<Extent> = TypedTable::new(Table::History, "the extent of the history");

/// Which blocks there are. Every change of them changes this row, so that of two engines that pack
/// the same entries one is refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extent {
    /// The number of the oldest block.
    pub oldest: u64,
    /// The number that the next block gets.
    pub next: u64,
    /// Entries in blocks.
    pub entries: u64,
    /// Bytes of compressed entries.
    pub bytes: u64,
    /// The latest time in a block.
    pub latest: Timestamp,
    /// The most that a block began before the latest time of those before it, in milliseconds: more
    /// than a little only if the clock was set back.
    pub overlap_ms: u64,
}

/// Adds an entry. A batch that would overwrite another one is refused: that takes a clock that is
/// set back to the very millisecond of an alert whose row has been removed in the meantime.
///
/// # Errors
/// [`EngineError::Damaged`] when it cannot be expressed as JSON.
pub(crate) fn add(entry: &HistoryEntry) -> Result<RowWrites, EngineError> {
    Ok(ENTRIES.put(&entry_key(entry), entry)?.if_at(0))
}

/// Which blocks there are.
///
/// # Errors
/// [`EngineError`] when the store fails or the row is damaged.
pub fn extent(store: &dyn Store) -> Result<Row<Extent>, EngineError> {
    let none = Row {
        value: Extent::default(),
        revision: 0,
        expires_at: None,
    };
    Ok(EXTENTS.get(store, EXTENT)?.unwrap_or(none))
}

/// In the order of time.
fn entry_key(entry: &HistoryEntry) -> String {
    let hash = blake3::hash(entry.alert_key().as_bytes()).to_hex();
    format!("{}-{}", since_key(entry.at), &hash.as_str()[..16])
}

/// Before the keys of all entries from a time on.
fn since_key(at: Timestamp) -> String {
    format!("{ENTRY}{:015}", at.0.max(0))
}

fn block_key(number: u64) -> String {
    format!("{BLOCK}{number:012}")
}

#[cfg(test)]
mod tests;
