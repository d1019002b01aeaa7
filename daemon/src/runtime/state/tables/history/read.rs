//! Reads the history: between two times in order, or the newest entries of an alert.

use std::collections::VecDeque;

use tocsin_core::intake::HistoryEntry;
use tocsin_core::time::{HOUR_MS, MINUTE_MS};
use tocsin_core::{Alert, Fingerprint, IntegrationId, Timestamp};
use tocsin_store::Store;

use super::block::damaged;
use super::{BLOCKS, ENTRIES, ENTRY, block_key, entry_key, extent, since_key};
use crate::runtime::error::EngineError;

/// Rows per read of entries that are not packed.
const PAGE_ROWS: usize = 256;
/// Most blocks that are read at once to find an alert's newest entries.
const BLOCKS_AT_ONCE_MAX: u64 = 256;
/// Most blocks that are read for one page of them.
const BLOCKS_PER_PAGE_MAX: u64 = 1_024;
/// The first period that is searched for them, in milliseconds; the next one is longer.
const PERIOD_MS: u64 = HOUR_MS;
/// Shortest such period, in milliseconds: of one with too many blocks, a shorter one is searched.
const PERIOD_MS_MIN: u64 = MINUTE_MS;

/// Whose entries to read.
#[derive(Clone, Debug)]
pub struct HistoryOf {
    key: String,
    /// What the JSON of its entries contains, so that others need not be parsed.
    contains: Vec<u8>,
}

impl HistoryOf {
    #[must_use]
    pub fn alert(integration: &IntegrationId, fingerprint: &Fingerprint) -> Self {
        let contains = serde_json::to_vec(fingerprint).unwrap_or_default();
        Self {
            key: Alert::row_key(integration, fingerprint),
            contains,
        }
    }

    fn may_be(&self, text: &[u8]) -> bool {
        let mut parts = text.windows(self.contains.len().max(1));
        parts.any(|part| part == self.contains)
    }
}

/// The entries from a time on and before another, an alert's in their order. One block or page is
/// in memory at a time. Entries of different alerts are in the order of time too, unless the clock
/// was set back; what is added or removed meanwhile may be left out.
pub struct HistoryReader<'a> {
    store: &'a dyn Store,
    of: Option<HistoryOf>,
    from: Timestamp,
    until: Timestamp,
    /// The number of the next block.
    next: u64,
    /// The last row that was read of those that are not packed.
    after: Option<String>,
    read: VecDeque<HistoryEntry>,
    /// Blocks that were unpacked.
    blocks_read: u64,
    /// Most blocks to unpack; with more, it ends early and is cut.
    blocks_max: u64,
    is_cut: bool,
    is_over: bool,
}

impl<'a> HistoryReader<'a> {
    /// `of`: only of this alert.
    ///
    /// # Errors
    /// [`EngineError`] when the store fails or a row is damaged.
    pub fn between(
        store: &'a dyn Store,
        of: Option<HistoryOf>,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Self, EngineError> {
        let extent = extent(store)?.value;
        let (mut low, mut high) = (extent.oldest, extent.next);
        // The first block whose latest time is not before `from`. One that has been removed in the
        // meantime is older.
        while low < high {
            let middle = low + (high - low) / 2;
            let block = BLOCKS.get(store, &block_key(middle))?;
            match block.is_none_or(|row| row.value.latest < from) {
                true => low = middle + 1,
                false => high = middle,
            }
        }
        Ok(Self {
            store,
            of,
            from,
            until,
            next: low,
            after: None,
            read: VecDeque::new(),
            blocks_read: 0,
            blocks_max: u64::MAX,
            is_cut: false,
            is_over: from >= until,
        })
    }

    /// Ends early instead of unpacking more blocks than this.
    #[must_use]
    pub fn limited(self, blocks_max: u64) -> Self {
        Self { blocks_max, ..self }
    }

    /// Whether it ended early.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// Reads on until there is an entry, or nothing more.
    fn read_on(&mut self) -> Result<(), EngineError> {
        while self.read.is_empty() && !self.is_over {
            let now = extent(self.store)?.value;
            self.next = self.next.max(now.oldest);
            match self.next < now.next {
                true => self.read_block(now.overlap_ms)?,
                false => self.read_rows()?,
            }
        }
        Ok(())
    }

    fn read_block(&mut self, overlap_ms: u64) -> Result<(), EngineError> {
        let block = BLOCKS.get(self.store, &block_key(self.next))?;
        self.next += 1;
        let Some(block) = block.map(|row| row.value) else {
            return Ok(());
        };
        if block.from >= self.until {
            // Later blocks begin earlier only if the clock was set back.
            self.is_over = block.from >= self.until.plus_ms(overlap_ms);
            return Ok(());
        }
        if self.blocks_read == self.blocks_max {
            (self.is_cut, self.is_over) = (true, true);
            return Ok(());
        }
        self.blocks_read += 1;
        for text in block.texts()? {
            if self.of.as_ref().is_none_or(|it| it.may_be(&text)) {
                let entry: HistoryEntry = serde_json::from_slice(&text).map_err(damaged)?;
                // It may have been read before it was packed.
                let is_new = |after: &String| entry_key(&entry) > *after;
                if self.after.as_ref().is_none_or(is_new) {
                    self.take(entry);
                }
            }
        }
        Ok(())
    }

    fn read_rows(&mut self) -> Result<(), EngineError> {
        let after = self.after.clone().unwrap_or_else(|| since_key(self.from));
        let rows = ENTRIES.page(self.store, ENTRY, Some(&after), PAGE_ROWS)?;
        if extent(self.store)?.value.next != self.next {
            // Some that would have been read are in a block now.
            return Ok(());
        }
        let is_later = |it: &HistoryEntry| it.at >= self.until;
        self.is_over =
            rows.len() < PAGE_ROWS || rows.last().is_some_and(|it| is_later(&it.1.value));
        for (key, row) in rows {
            self.take(row.value);
            self.after = Some(key);
        }
        Ok(())
    }

    fn take(&mut self, entry: HistoryEntry) {
        let is_its = |of: &HistoryOf| of.key == entry.alert_key();
        if (self.from..self.until).contains(&entry.at) && self.of.as_ref().is_none_or(is_its) {
            self.read.push_back(entry);
        }
    }
}

impl Iterator for HistoryReader<'_> {
    type Item = Result<HistoryEntry, EngineError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Err(error) = self.read_on() {
            self.is_over = true;
            return Some(Err(error));
        }
        self.read.pop_front().map(Ok)
    }
}

/// Entries of an alert, the newest first.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    pub entries: Vec<HistoryEntry>,
    /// Where to go on, if there may be more.
    pub before: Option<Timestamp>,
}

/// The newest entries of an alert before a time, at least `at_least` and less than twice as many if
/// there are as many. Goes back by periods, and stops when it has read much, so a page may have
/// none.
///
/// # Errors
/// [`EngineError`] when the store fails or a row is damaged.
pub fn newest(
    store: &dyn Store,
    of: &HistoryOf,
    before: Timestamp,
    at_least: usize,
) -> Result<Page, EngineError> {
    // Nothing after this is in a block.
    let packed_until = extent(store)?.value.latest.plus_ms(1);
    let (mut end, mut period_ms, mut blocks_read) = (before, PERIOD_MS, 0);
    let mut entries = Vec::new();
    while end > Timestamp(0) {
        let start = match end > packed_until {
            true => packed_until,
            false => Timestamp(end.minus_ms(period_ms).0.max(0)),
        };
        let mut reader = HistoryReader::between(store, Some(of.clone()), start, end)?;
        if period_ms > PERIOD_MS_MIN && end <= packed_until {
            reader = reader.limited(BLOCKS_AT_ONCE_MAX);
        }
        let mut found = VecDeque::new();
        let mut next_end = start;
        for entry in reader.by_ref() {
            found.push_back(entry?);
            if found.len() > at_least.max(1) {
                found.pop_front();
                next_end = found.front().map_or(start, |it: &HistoryEntry| it.at);
            }
        }
        blocks_read += reader.blocks_read;
        if reader.is_cut {
            period_ms = (period_ms / 8).max(PERIOD_MS_MIN);
        } else {
            end = next_end;
            entries.extend(found.into_iter().rev());
            if reader.blocks_read < BLOCKS_AT_ONCE_MAX / 8 {
                period_ms = period_ms.saturating_mul(2);
            }
        }
        if entries.len() >= at_least || blocks_read >= BLOCKS_PER_PAGE_MAX {
            break;
        }
    }
    let before = (end > Timestamp(0)).then_some(end);
    Ok(Page { entries, before })
}
