//! When alerts end by themselves. An alert's expiry is a lease in its row, moved with every
//! repeat: a timer of its own for each would be two writes a minute for each. This index is made
//! of the rows at start and kept beside them, so that the sweep need not read 100,000 alerts to
//! find the one whose sender fell silent.

use std::collections::BTreeSet;

use parking_lot::Mutex;
use tocsin_core::Timestamp;
use tocsin_core::alert::{Alert, Place};
use tocsin_store::Store;

use crate::runtime::error::EngineError;
use crate::runtime::state::tables::alert::ALERTS;

/// The alerts that a sweep must look at, by when.
#[derive(Debug, Default)]
pub struct Leases(Mutex<Index>);

#[derive(Debug, Default)]
struct Index {
    /// Firing alerts with a lease, by its end.
    leased: BTreeSet<(Timestamp, Box<str>)>,
    /// Firing alerts that a silence holds back.
    silenced: BTreeSet<Box<str>>,
    /// Alerts that ended, by when.
    ended: BTreeSet<(Timestamp, Box<str>)>,
    /// How many fire.
    firing: u64,
}

impl Leases {
    /// The index of a store's alerts.
    ///
    /// # Errors
    /// [`EngineError`] when the store cannot be read or a row is damaged.
    pub fn load(store: &dyn Store) -> Result<Self, EngineError> {
        let mut index = Index::default();
        ALERTS.for_each(store, |alert| {
            index.add(&alert);
            Ok(())
        })?;
        Ok(Self(Mutex::new(index)))
    }

    /// Row keys of firing alerts whose lease ended at `now` or before, at most `limit`.
    #[must_use]
    pub fn lapsed(&self, now: Timestamp, limit: usize) -> Vec<String> {
        let index = self.0.lock();
        let due = index.leased.iter().take_while(|(until, _)| *until <= now);
        due.take(limit).map(|(_, key)| key.to_string()).collect()
    }

    /// Row keys of alerts that ended before `before`, at most `limit`.
    #[must_use]
    pub fn ended_before(&self, before: Timestamp, limit: usize) -> Vec<String> {
        let index = self.0.lock();
        let old = index.ended.iter().take_while(|(at, _)| *at < before);
        old.take(limit).map(|(_, key)| key.to_string()).collect()
    }

    /// Row keys of firing alerts that a silence holds back, after `after`, at most `limit`.
    #[must_use]
    pub fn silenced(&self, after: &str, limit: usize) -> Vec<String> {
        let index = self.0.lock();
        let keys = index.silenced.iter().filter(|key| key.as_ref() > after);
        keys.take(limit).map(ToString::to_string).collect()
    }

    /// When the next lease ends.
    #[must_use]
    pub fn next_lapse(&self) -> Option<Timestamp> {
        self.0.lock().leased.first().map(|(until, _)| *until)
    }

    /// How many alerts fire.
    #[must_use]
    pub fn firing(&self) -> u64 {
        self.0.lock().firing
    }

    /// Forgets an alert whose row was removed.
    pub fn remove(&self, alert: &Alert) {
        self.0.lock().remove(alert);
    }

    pub(crate) fn replace(&self, before: Option<&Alert>, after: &Alert) {
        let mut index = self.0.lock();
        if let Some(before) = before {
            index.remove(before);
        }
        index.add(after);
    }
}

impl Index {
    fn add(&mut self, alert: &Alert) {
        let key = alert.key().into_boxed_str();
        if !alert.firing {
            self.ended.insert((alert.changed_at, key));
            return;
        }
        self.firing += 1;
        if matches!(alert.place, Place::Silenced { .. }) {
            self.silenced.insert(key.clone());
        }
        if let Some(until) = alert.lease_until {
            self.leased.insert((until, key));
        }
    }

    fn remove(&mut self, alert: &Alert) {
        let key = alert.key().into_boxed_str();
        if !alert.firing {
            self.ended.remove(&(alert.changed_at, key));
            return;
        }
        self.firing = self.firing.saturating_sub(1);
        self.silenced.remove(&key);
        if let Some(until) = alert.lease_until {
            self.leased.remove(&(until, key));
        }
    }
}
