//! Packs the oldest entries, and keeps the history within its limit.

use tocsin_core::Timestamp;
use tocsin_core::time::MINUTE_MS;
use tocsin_store::Store;

use super::{BLOCKS, ENTRIES, ENTRY, EXTENT, EXTENTS, block_key, extent};
use crate::runtime::error::EngineError;
use crate::runtime::state::tables::RowWrites;

use super::block::blocks;

/// Entries that are packed together; fewer stay rows of their own.
pub const PACKED_TOGETHER: usize = 256;
/// How long entries stay rows of their own, in milliseconds: packing does not take from a storm the
/// time to accept its alerts.
pub const LOOSE_MS: u64 = MINUTE_MS;
/// Most blocks that one packing removes.
const REMOVED_MAX: usize = 64;

/// A batch that packs entries.
#[derive(Debug)]
pub struct Packing {
    pub write: RowWrites,
    /// Entries that it removes for good, as the history is too large.
    pub removed: u64,
}

/// The batch that packs the oldest `together` entries, if there are as many up to a time. Beyond
/// `bytes_max` bytes it removes the oldest blocks.
///
/// # Errors
/// [`EngineError`] when the store fails or a row is damaged.
pub fn pack(
    store: &dyn Store,
    together: usize,
    until: Timestamp,
    bytes_max: u64,
) -> Result<Option<Packing>, EngineError> {
    // Before the entries are read: whoever packs them changes it.
    let before = extent(store)?;
    let rows = ENTRIES.page(store, ENTRY, None, together)?;
    let last = rows.get(together.saturating_sub(1));
    if last.is_none_or(|(_, row)| row.value.at > until) {
        return Ok(None);
    }
    let mut after = before.value;
    let mut changes = RowWrites::default();
    let mut entries = Vec::with_capacity(rows.len());
    for (key, row) in rows {
        changes = changes.and(ENTRIES.remove(&key));
        entries.push(row.value);
    }
    for block in blocks(&entries, after.latest)? {
        changes = changes.and(BLOCKS.put(&block_key(after.next), &block)?);
        after.next += 1;
        after.entries += block.entries;
        after.bytes += block.bytes();
        after.overlap_ms = after.overlap_ms.max(after.latest.since(block.from));
        after.latest = block.latest;
    }
    let mut removed = 0;
    for _ in 0..REMOVED_MAX {
        if after.bytes <= bytes_max || after.oldest >= before.value.next {
            break;
        }
        let key = block_key(after.oldest);
        if let Some(row) = BLOCKS.get(store, &key)? {
            after.bytes = after.bytes.saturating_sub(row.value.bytes());
            after.entries = after.entries.saturating_sub(row.value.entries);
            removed += row.value.entries;
        }
        changes = changes.and(BLOCKS.remove(&key));
        after.oldest += 1;
    }
    let write = EXTENTS.put(EXTENT, &after)?.if_at(before.revision);
    Ok(Some(Packing {
        write: write.and(changes),
        removed,
    }))
}
