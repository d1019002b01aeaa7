//! The store's in-memory state: indexes that are rebuilt when it opens, and the counters.

use std::collections::BTreeSet;

use tocsin_core::Timestamp;

use super::lanes::Lanes;
use crate::Class;

#[derive(Debug)]
pub(super) struct State {
    classes: [Lanes; 4],
    /// The keys on disk of commands and rows with an expiry, by time.
    expiring: BTreeSet<(Timestamp, Vec<u8>)>,
    pub(super) counters: Counters,
}

/// Counters that only increase, even across restarts. Each group writes them in one value together
/// with what it numbered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counters {
    /// The last assigned revision of a row.
    pub(super) revision: u64,
    /// The last assigned fencing number of a claim.
    pub(super) fence: u64,
    /// The last assigned number of a delivery.
    pub(super) seq: u64,
    /// The feed's newest position.
    pub(super) position: u64,
}

impl Counters {
    pub(super) fn write(&self) -> Vec<u8> {
        let Self {
            revision,
            fence,
            seq,
            position,
        } = self;
        [revision, fence, seq, position]
            .map(|it| it.to_be_bytes())
            .concat()
    }

    /// A store of an earlier format has only the first two. Its feed does not start at 0, so that a
    /// new reader does not skip the existing data.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let (words, rest) = bytes.as_chunks();
        let mut words = words.iter().map(|word| u64::from_be_bytes(*word));
        let counters = Self {
            revision: words.next()?,
            fence: words.next()?,
            seq: words.next().unwrap_or(0),
            position: words.next().unwrap_or(1),
        };
        (rest.is_empty() && words.next().is_none()).then_some(counters)
    }
}

impl State {
    pub(super) fn new(counters: Counters) -> Self {
        let classes = Class::ALL.map(Lanes::new);
        Self {
            classes,
            expiring: BTreeSet::new(),
            counters,
        }
    }

    pub(super) fn lanes(&mut self, class: Class) -> &mut Lanes {
        &mut self.classes[place(class)]
    }

    pub(super) fn lanes_of(&self, class: Class) -> &Lanes {
        &self.classes[place(class)]
    }

    /// Updates a key's expiry.
    pub(super) fn expiry(&mut self, key: &[u8], old: Option<Timestamp>, new: Option<Timestamp>) {
        if old == new {
            return;
        }
        if let Some(old) = old {
            self.expiring.remove(&(old, key.to_vec()));
        }
        if let Some(new) = new {
            self.expiring.insert((new, key.to_vec()));
        }
    }

    pub(super) fn expired(&self, now: Timestamp, limit: usize) -> Vec<Vec<u8>> {
        let past = self.expiring.iter().take_while(|(at, _)| *at <= now);
        past.take(limit).map(|(_, key)| key.clone()).collect()
    }
}

fn place(class: Class) -> usize {
    match class {
        Class::Page => 0,
        Class::Prompt => 1,
        Class::State => 2,
        Class::Bulk => 3,
    }
}
