//! An in-memory index over the outbox of one class that finds the next deliveries, rebuilt when the
//! store opens. Without it a claim would read every waiting row, and a large backlog would delay
//! each page.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use tocsin_core::Timestamp;

use crate::{ClaimToken, Class, OutboxKey};

/// The lanes of one class.
#[derive(Debug)]
pub(super) struct Lanes {
    class: Class,
    lanes: HashMap<String, Lane>,
    /// Unlocked lanes, by when their first row is ready.
    unlocked: BTreeSet<(Timestamp, String)>,
    /// Locked lanes, by when their lease ends. There are no more than workers.
    locked: BTreeSet<(Timestamp, String)>,
}

#[derive(Debug, Default)]
struct Lane {
    rows: BTreeMap<u64, Waiting>,
    by_time: BTreeSet<(Timestamp, u64)>,
    by_name: BTreeSet<(String, u64)>,
    lease: Option<Lease>,
}

#[derive(Debug)]
struct Waiting {
    not_before: Timestamp,
    coalesce: Option<String>,
}

#[derive(Debug)]
struct Lease {
    seq: u64,
    fence: u64,
    until: Timestamp,
}

/// Which of the two sets lists a lane, and at what time; an absent one has no rows and no lease.
#[derive(PartialEq)]
enum LaneState {
    Absent,
    Unlocked(Timestamp),
    Locked(Timestamp),
}

impl Lanes {
    pub(super) fn new(class: Class) -> Self {
        Self {
            class,
            lanes: HashMap::new(),
            unlocked: BTreeSet::new(),
            locked: BTreeSet::new(),
        }
    }

    /// Adds a waiting row, or replaces the one with the same key.
    pub(super) fn put(&mut self, key: &OutboxKey, not_before: Timestamp, coalesce: Option<String>) {
        self.change(&key.lane, |lane| {
            lane.remove(key.seq);
            lane.by_time.insert((not_before, key.seq));
            if let Some(name) = &coalesce {
                lane.by_name.insert((name.clone(), key.seq));
            }
            lane.rows.insert(
                key.seq,
                Waiting {
                    not_before,
                    coalesce,
                },
            );
        });
    }

    /// Removes a waiting row.
    pub(super) fn remove(&mut self, key: &OutboxKey) {
        self.change(&key.lane, |lane| lane.remove(key.seq));
    }

    /// The newest unclaimed row of the lane with this coalesce key.
    pub(super) fn newest_of(&self, lane: &str, name: &str) -> Option<u64> {
        let lane = self.lanes.get(lane)?;
        let claimed = lane.lease.as_ref().map(|lease| lease.seq);
        let range = (name.to_owned(), 0)..=(name.to_owned(), u64::MAX);
        let rows = lane.by_name.range(range).rev().map(|(_, seq)| *seq);
        rows.into_iter().find(|seq| Some(*seq) != claimed)
    }

    /// Whether this claim is still valid.
    pub(super) fn is_valid(&self, token: &ClaimToken) -> bool {
        let lease = self
            .lanes
            .get(&token.key.lane)
            .and_then(|lane| lane.lease.as_ref());
        lease.is_some_and(|lease| lease.seq == token.key.seq && lease.fence == token.fence)
    }

    /// Locks the lane of this claim.
    pub(super) fn lock(&mut self, token: &ClaimToken, until: Timestamp) {
        let lease = Lease {
            seq: token.key.seq,
            fence: token.fence,
            until,
        };
        self.change(&token.key.lane, |lane| lane.lease = Some(lease));
    }

    /// Ends the lane's claim: its next row can be claimed at once.
    pub(super) fn unlock(&mut self, lane: &str) {
        self.change(lane, |lane| lane.lease = None);
    }

    /// The oldest ready row of each lane that is unlocked or whose lease has ended; lanes that have
    /// waited longest come first.
    pub(super) fn ready(&self, now: Timestamp, limit: usize) -> Vec<OutboxKey> {
        let lapsed = self.locked.iter().take_while(|(until, _)| *until <= now);
        let lapsed = lapsed.filter_map(|(_, lane)| Some((self.lanes.get(lane)?.since()?, lane)));
        let unlocked = self
            .unlocked
            .iter()
            .take(limit)
            .map(|(since, lane)| (*since, lane));
        let mut lanes: Vec<_> = unlocked
            .chain(lapsed)
            .filter(|(since, _)| *since <= now)
            .collect();
        lanes.sort_unstable();
        let first = lanes.into_iter().filter_map(|(_, lane)| {
            let mut rows = self.lanes.get(lane)?.rows.iter();
            let (seq, _) = rows.find(|(_, row)| row.not_before <= now)?;
            Some(OutboxKey {
                class: self.class,
                lane: lane.clone(),
                seq: *seq,
            })
        });
        first.take(limit).collect()
    }

    /// When the next row is ready; a locked lane is ready when its lease ends.
    pub(super) fn next_ready(&self) -> Option<Timestamp> {
        let unlocked = self.unlocked.first().map(|(since, _)| *since);
        let locked = self.locked.iter().filter_map(|(until, lane)| {
            let since = self.lanes.get(lane)?.since()?;
            Some(since.max(*until))
        });
        unlocked.into_iter().chain(locked).min()
    }

    /// Changes a lane and updates its entry in the sets.
    fn change(&mut self, name: &str, change: impl FnOnce(&mut Lane)) {
        if !self.lanes.contains_key(name) {
            self.lanes.insert(name.to_owned(), Lane::default());
        }
        let Some(lane) = self.lanes.get_mut(name) else {
            return;
        };
        let before = lane.state();
        change(lane);
        let after = lane.state();
        let empty = lane.rows.is_empty() && lane.lease.is_none();
        if before != after {
            match before {
                LaneState::Absent => {}
                LaneState::Unlocked(at) => drop(self.unlocked.remove(&(at, name.to_owned()))),
                LaneState::Locked(at) => drop(self.locked.remove(&(at, name.to_owned()))),
            }
            match after {
                LaneState::Absent => {}
                LaneState::Unlocked(at) => drop(self.unlocked.insert((at, name.to_owned()))),
                LaneState::Locked(at) => drop(self.locked.insert((at, name.to_owned()))),
            }
        }
        if empty {
            self.lanes.remove(name);
        }
    }
}

impl Lane {
    fn remove(&mut self, seq: u64) {
        if let Some(row) = self.rows.remove(&seq) {
            self.by_time.remove(&(row.not_before, seq));
            if let Some(name) = row.coalesce {
                self.by_name.remove(&(name, seq));
            }
        }
    }

    fn since(&self) -> Option<Timestamp> {
        self.by_time.first().map(|(since, _)| *since)
    }

    fn state(&self) -> LaneState {
        match (&self.lease, self.since()) {
            (Some(lease), _) => LaneState::Locked(lease.until),
            (None, Some(since)) => LaneState::Unlocked(since),
            (None, None) => LaneState::Absent,
        }
    }
}
