//! An index of when firing alerts expire, and when their wait for others ends; and of what
//! policies ask about them. An alert's expiry is
//! a lease in its row, extended with every repeat, as a timer per alert would cost more writes. The
//! index is built from the rows at the start, so that the sweep does not read 100,000 alerts to
//! find an expired one.

mod counts;

use std::collections::{BTreeMap, BTreeSet};

use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use tocsin_core::alert::{Alert, Place};
use tocsin_core::{IncidentId, Timestamp};
use tocsin_store::Store;

pub(crate) use counts::Counts;

use crate::runtime::error::EngineError;
use crate::runtime::state::tables::alert::ALERTS;

/// The alerts that sweeps process, by time.
#[derive(Debug, Default)]
pub struct Leases {
    index: Mutex<Index>,
    /// Another engine has changed alerts.
    is_stale: AtomicBool,
}

#[derive(Debug, Default)]
struct Index {
    /// Firing alerts with a lease, by the end of the lease.
    leased: BTreeSet<(Timestamp, Box<str>)>,
    /// Firing alerts that wait for others or that the clock has routed again, by when.
    routed_again: BTreeSet<(Timestamp, Box<str>)>,
    /// Firing alerts that the routing policy keeps out of incidents.
    kept_out: BTreeSet<Box<str>>,
    /// Firing alerts that are silenced or wait: the beginning or end of a silence moves them.
    aside: BTreeSet<Box<str>>,
    /// Dead man's switches that do not fire, by when they do unless they are heard of.
    expected: BTreeSet<(Timestamp, Box<str>)>,
    /// Resolved alerts, by when they resolved.
    ended: BTreeSet<(Timestamp, Box<str>)>,
    /// Firing alerts that end when a person resolves their incident, by incident and by how often
    /// that had been resolved when they were last received.
    ending: BTreeMap<IncidentId, BTreeSet<(u32, Box<str>)>>,
    /// Firing alerts without a lease. A set and not a count, as an alert may be added twice.
    unleased: BTreeSet<Box<str>>,
    /// Firing alerts that are in an incident, by the incident's id.
    placed: BTreeSet<(Box<str>, Box<str>)>,
    counts: Counts,
}

impl Leases {
    /// The index of a store's alerts.
    ///
    /// # Errors
    /// [`EngineError`] when the store cannot be read or a row is damaged.
    pub fn load(store: &dyn Store) -> Result<Self, EngineError> {
        Ok(Self {
            index: Mutex::new(Index::load(store)?),
            is_stale: AtomicBool::new(false),
        })
    }

    /// Row keys of firing alerts whose lease has ended by `now`, and of dead man's switches that
    /// must fire, at most `limit` of each.
    #[must_use]
    pub fn lapsed(&self, now: Timestamp, limit: usize) -> Vec<String> {
        let index = self.index.lock();
        let due = |set: &BTreeSet<(Timestamp, Box<str>)>| {
            let due = set.iter().take_while(|(at, _)| *at <= now).take(limit);
            due.map(|(_, key)| key.to_string()).collect::<Vec<_>>()
        };
        [due(&index.leased), due(&index.expected)].concat()
    }

    /// Row keys of dead man's switches that fire after `now`, at most `limit`.
    #[must_use]
    pub fn expected_after(&self, now: Timestamp, limit: usize) -> Vec<String> {
        let index = self.index.lock();
        let later = index.expected.iter().rev().take_while(|(at, _)| *at > now);
        later.take(limit).map(|(_, key)| key.to_string()).collect()
    }

    /// Row keys that contain `part`, of alerts without a lease that fire, and of dead man's
    /// switches that do not.
    #[must_use]
    pub fn unleased_with(&self, part: &str) -> Vec<String> {
        let index = self.index.lock();
        let expected = index.expected.iter().map(|(_, key)| key);
        let keys = index.unleased.iter().chain(expected);
        let keys = keys.filter(|key| key.contains(part));
        keys.map(ToString::to_string).collect()
    }

    /// Row keys of alerts that resolved before `before`, at most `limit`.
    #[must_use]
    pub fn ended_before(&self, before: Timestamp, limit: usize) -> Vec<String> {
        let index = self.index.lock();
        let old = index.ended.iter().take_while(|(at, _)| *at < before);
        old.take(limit).map(|(_, key)| key.to_string()).collect()
    }

    /// Row keys of alerts that must be routed again by `now`, as their wait for others has ended or
    /// the clock has changed what ignored them, at most `limit`.
    #[must_use]
    pub fn routed_again(&self, now: Timestamp, limit: usize) -> Vec<String> {
        let index = self.index.lock();
        let due = index.routed_again.iter().take_while(|(at, _)| *at <= now);
        due.take(limit).map(|(_, key)| key.to_string()).collect()
    }

    /// Row keys of firing alerts that the routing policy keeps out of incidents, after `after`, at
    /// most `limit`.
    #[must_use]
    pub fn kept_out(&self, after: &str, limit: usize) -> Vec<String> {
        let index = self.index.lock();
        let keys = index.kept_out.iter().filter(|key| key.as_ref() > after);
        keys.take(limit).map(ToString::to_string).collect()
    }

    /// Row keys of firing alerts that are silenced or wait, after `after`, at most `limit`.
    #[must_use]
    pub fn aside(&self, after: &str, limit: usize) -> Vec<String> {
        let index = self.index.lock();
        let keys = index.aside.iter().filter(|key| key.as_ref() > after);
        keys.take(limit).map(ToString::to_string).collect()
    }

    /// Row keys of firing alerts that are in an incident, at most `limit`.
    #[must_use]
    pub fn firing_in(&self, incident: &IncidentId, limit: usize) -> Vec<String> {
        let index = self.index.lock();
        let first = (Box::from(incident.as_str()), Box::default());
        let placed = index.placed.range(first..);
        let its = placed.take_while(|(id, _)| id.as_ref() == incident.as_str());
        its.take(limit).map(|(_, key)| key.to_string()).collect()
    }

    /// The incidents that have firing alerts.
    #[must_use]
    pub fn incidents_with_firing(&self) -> Vec<IncidentId> {
        let index = self.index.lock();
        let after = |id: &str| (Box::from(format!("{id}\0").as_str()), Box::default());
        let mut ids: Vec<IncidentId> = Vec::new();
        let mut next = index.placed.first();
        while let Some((id, _)) = next {
            ids.push(IncidentId(id.to_string()));
            next = index
                .placed
                .range::<(Box<str>, Box<str>), _>(after(id)..)
                .next();
        }
        ids
    }

    /// Row keys of alerts of an incident that end when a person resolves it, and were not received
    /// since it was resolved for the last of `resolves` times, at most `limit`.
    #[must_use]
    pub fn ending(&self, incident: &IncidentId, resolves: u32, limit: usize) -> Vec<String> {
        let index = self.index.lock();
        let ending = index.ending.get(incident).into_iter().flatten();
        let ending = ending.take_while(|(after, _)| *after < resolves);
        ending.take(limit).map(|(_, key)| key.to_string()).collect()
    }

    /// The incidents that have such alerts.
    #[must_use]
    pub fn incidents_with_ending(&self) -> Vec<IncidentId> {
        self.index.lock().ending.keys().cloned().collect()
    }

    /// When the next lease ends, or the next dead man's switch fires.
    #[must_use]
    pub fn next_lapse(&self) -> Option<Timestamp> {
        let index = self.index.lock();
        let ends = [&index.leased, &index.expected];
        let ends = ends.into_iter().filter_map(|it| it.first());
        ends.map(|(at, _)| *at).min()
    }

    /// When the next alert must be routed again.
    #[must_use]
    pub fn next_routed_again(&self) -> Option<Timestamp> {
        self.index.lock().routed_again.first().map(|(at, _)| *at)
    }

    /// How many alerts are firing.
    #[must_use]
    pub fn firing(&self) -> u64 {
        let index = self.index.lock();
        (index.leased.len() + index.unleased.len()) as u64
    }

    /// Asks what policies may ask about the alerts.
    pub(crate) fn counts<T>(&self, ask: impl FnOnce(&mut Counts) -> T) -> T {
        ask(&mut self.index.lock().counts)
    }

    /// Removes an alert whose row was removed.
    pub fn remove(&self, alert: &Alert) {
        let mut index = self.index.lock();
        index.remove(alert);
        index.counts.forget(&alert.key());
    }

    /// Marks the index as outdated because another engine changed rows.
    pub(crate) fn mark_stale(&self) {
        self.is_stale.store(true, Ordering::SeqCst);
    }

    /// Rebuilds the index if another engine changed rows.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn refresh(&self, store: &dyn Store) -> Result<(), EngineError> {
        if self.is_stale.swap(false, Ordering::SeqCst) {
            // Locked while reading, so that the engine's concurrent changes are not lost.
            let mut index = self.index.lock();
            *index = Index::load(store)?;
        }
        Ok(())
    }

    pub(crate) fn replace(&self, before: Option<&Alert>, after: &Alert) {
        let mut index = self.index.lock();
        if let Some(before) = before {
            index.remove(before);
        }
        index.add(after);
    }
}

impl Index {
    fn load(store: &dyn Store) -> Result<Self, EngineError> {
        let mut index = Self::default();
        ALERTS.for_each(store, |alert| {
            index.add(&alert);
            Ok(())
        })?;
        Ok(index)
    }

    fn add(&mut self, alert: &Alert) {
        self.counts.set(alert);
        let key = alert.key().into_boxed_str();
        if !alert.firing {
            match alert.fires_at {
                Some(at) => self.expected.insert((at, key)),
                None => self.ended.insert((alert.changed_at, key)),
            };
            return;
        }
        if let Some(at) = alert.routed_again_at() {
            self.routed_again.insert((at, key.clone()));
        }
        if alert.kept_out_while().is_some() {
            self.kept_out.insert(key.clone());
        }
        if is_aside(alert) {
            self.aside.insert(key.clone());
        }
        if let Some(id) = alert.incident() {
            self.placed.insert((id.as_str().into(), key.clone()));
        }
        if let Some(incident) = ends_with(alert) {
            let ending = self.ending.entry(incident.clone()).or_default();
            ending.insert((alert.after_resolves, key.clone()));
        }
        match alert.lease_until {
            Some(until) => self.leased.insert((until, key)),
            None => self.unleased.insert(key),
        };
    }

    fn remove(&mut self, alert: &Alert) {
        let key = alert.key().into_boxed_str();
        if !alert.firing {
            match alert.fires_at {
                Some(at) => self.expected.remove(&(at, key)),
                None => self.ended.remove(&(alert.changed_at, key)),
            };
            return;
        }
        self.aside.remove(&key);
        self.kept_out.remove(&key);
        if let Some(id) = alert.incident() {
            self.placed.remove(&(id.as_str().into(), key.clone()));
        }
        let key = match alert.routed_again_at() {
            Some(at) => {
                let entry = (at, key);
                self.routed_again.remove(&entry);
                entry.1
            }
            None => key,
        };
        if let Some(incident) = ends_with(alert)
            && let Some(ending) = self.ending.get_mut(incident)
        {
            ending.remove(&(alert.after_resolves, key.clone()));
            if ending.is_empty() {
                self.ending.remove(incident);
            }
        }
        match alert.lease_until {
            Some(until) => self.leased.remove(&(until, key)),
            None => self.unleased.remove(&key),
        };
    }
}

fn is_aside(alert: &Alert) -> bool {
    matches!(alert.place, Place::Silenced { .. } | Place::Waiting { .. })
}

/// The incident whose resolve by a person ends a firing alert.
fn ends_with(alert: &Alert) -> Option<&IncidentId> {
    alert.incident().filter(|_| alert.ends_when_resolved)
}
