//! The feed: the changes in a store, in the order in which they became visible. Caches of a store
//! follow it, so that they notice commits of other engines.
//!
//! Both stores of this crate keep the newest part of the feed in memory and only the position on
//! disk, in a value that every group writes anyway, which saves a key per commit
//! (docs/decisions/0008). So a reader whose position is older than the process must read everything
//! again. A store that several processes share would have to keep a record per commit.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use crate::{StreamId, Table};

/// Most commits kept for readers that are behind.
pub const FEED_COMMITS_KEPT: usize = 4_096;
/// Most changes kept in total: about 4 MB with keys of 100 bytes, and what a flood of alerts
/// produces in two seconds.
pub const FEED_CHANGES_KEPT: usize = 32_768;
/// Most changes returned at once, unless the first commit alone has more.
pub const FEED_CHANGES_MAX: usize = 4_096;

/// A position in the feed of one store. Positions only increase, even across restarts; a restored
/// backup is a different store. 0 is before every commit.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Position(pub u64);

/// The changes of one commit, without duplicates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// Where to continue reading.
    pub position: Position,
    /// The streams that events were appended to, with their new versions.
    pub streams: Vec<(StreamId, u64)>,
    /// The rows that were written, removed or expired.
    pub rows: Vec<(Table, String)>,
}

/// The result of [`Store::feed`](crate::Store::feed).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Feed {
    /// All changes from the requested position to the last of these, oldest first. Empty if
    /// nothing has changed since.
    Changes(Vec<Changed>),
    /// The position is no longer kept, or is from another store. The reader must read everything
    /// again, and may then continue from `newest`.
    Expired {
        /// The newest position at the time of the call.
        newest: Position,
    },
}

impl Changed {
    fn len(&self) -> usize {
        self.streams.len() + self.rows.len()
    }
}

/// The changes of a commit so far.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    streams: BTreeMap<StreamId, u64>,
    rows: BTreeSet<(Table, String)>,
}

impl Changes {
    pub(crate) fn stream(&mut self, stream: &StreamId, version: u64) {
        self.streams.insert(stream.clone(), version);
    }

    pub(crate) fn row(&mut self, table: Table, key: &str) {
        self.rows.insert((table, key.to_owned()));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.streams.is_empty() && self.rows.is_empty()
    }

    pub(crate) fn at(self, position: Position) -> Changed {
        Changed {
            position,
            streams: self.streams.into_iter().collect(),
            rows: self.rows.into_iter().collect(),
        }
    }
}

/// The newest commits, for readers that are not further behind.
#[derive(Clone, Debug, Default)]
pub(crate) struct Window {
    commits: VecDeque<Changed>,
    /// The number of changes in all commits.
    changes: usize,
    /// The newest position that is not kept: a reader that has read up to here misses nothing.
    begin: Position,
}

impl Window {
    /// An empty window of a store whose feed is at this position.
    pub(crate) fn begin(begin: Position) -> Self {
        Self {
            begin,
            ..Self::default()
        }
    }

    /// Adds a commit that has become visible. Its position must be above all others.
    pub(crate) fn push(&mut self, changed: Changed) {
        self.changes += changed.len();
        self.commits.push_back(changed);
        while self.commits.len() > FEED_COMMITS_KEPT || self.changes > FEED_CHANGES_KEPT {
            let Some(oldest) = self.commits.pop_front() else {
                return;
            };
            self.changes -= oldest.len();
            self.begin = oldest.position;
        }
    }

    pub(crate) fn newest(&self) -> Position {
        self.commits.back().map_or(self.begin, |it| it.position)
    }

    pub(crate) fn after(&self, after: Position, limit: usize) -> Feed {
        let newest = self.newest();
        if after < self.begin || after > newest {
            return Feed::Expired { newest };
        }
        let first = self.commits.partition_point(|it| it.position <= after);
        let mut changes = 0;
        let mut answer = Vec::new();
        for changed in self.commits.range(first..).take(limit) {
            changes += changed.len();
            if changes > FEED_CHANGES_MAX && !answer.is_empty() {
                break;
            }
            answer.push(changed.clone());
        }
        Feed::Changes(answer)
    }
}

#[cfg(test)]
mod tests;
