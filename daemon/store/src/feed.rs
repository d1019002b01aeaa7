//! The feed: what changed in a store, in the order in which it became visible. Whoever keeps
//! something of a store in memory follows it, so that what another engine commits does not go
//! unnoticed.
//!
//! Both stores of this crate keep the newest part of the feed in memory and only the position on
//! the disk, in a value that every group writes anyway: a key a commit would cost more than the
//! feed is worth (docs/decisions/0008). So a reader whose position is older than the process is
//! told to read everything again. A store that several processes share has to keep a record a
//! commit.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use crate::{StreamId, Table};

/// Most commits that are kept for readers that are behind.
pub const FEED_COMMITS_KEPT: usize = 4_096;
/// Most changes that are kept in all: about 4 MB with keys of 100 bytes, and what a flood of
/// alerts makes in two seconds.
pub const FEED_CHANGES_KEPT: usize = 32_768;
/// Most changes in one answer, unless its first commit alone has more.
pub const FEED_CHANGES_MAX: usize = 4_096;

/// A place in the feed of one store. Positions only rise, also over a restart; a restored backup
/// is another store. 0 stands before every commit.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Position(pub u64);

/// What the batches of one commit changed, each thing once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// To go on from.
    pub position: Position,
    /// The streams that events were appended to, with their new versions.
    pub streams: Vec<(StreamId, u64)>,
    /// The rows that were written, removed or forgotten.
    pub rows: Vec<(Table, String)>,
}

/// An answer of [`Store::feed`](crate::Store::feed).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Feed {
    /// Everything that changed between the position that was asked for and the last of these,
    /// oldest first. None: nothing has changed since.
    Changes(Vec<Changed>),
    /// The position is no longer kept, or is not of this store. The reader must read everything
    /// again, and may then go on from `newest`.
    Expired {
        /// The newest position when this was answered.
        newest: Position,
    },
}

impl Changed {
    fn len(&self) -> usize {
        self.streams.len() + self.rows.len()
    }
}

/// What a commit has changed so far.
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

/// The newest commits, for readers that are at most so far behind.
#[derive(Clone, Debug, Default)]
pub(crate) struct Window {
    commits: VecDeque<Changed>,
    /// How many changes the commits have in all.
    changes: usize,
    /// The newest position that is not kept: who has read up to here has missed nothing.
    begin: Position,
}

impl Window {
    /// A window of a store whose feed has come to this position, with nothing kept.
    pub(crate) fn begin(begin: Position) -> Self {
        Self {
            begin,
            ..Self::default()
        }
    }

    /// A commit has become visible. Its position must be above all others.
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
