//! The daemon's alerts, as policies ask about them: how many fire, and when they began to.

use std::fmt;

use tocsin_core::{Labels, Timestamp};

/// The alerts that a policy can ask about. Labels are those that an alert must have; an empty text
/// means that it must not have the label. `except` is the key of an alert that is left out.
///
/// Two answers may be of different moments: a policy that asks the same twice gets the first answer
/// both times, but not a snapshot.
pub trait AlertIndex: fmt::Debug + Send + Sync {
    /// How many alerts with these labels fire.
    fn firing(&self, labels: &Labels, except: Option<&str>) -> u64;

    /// When each alert with these labels last began to fire, the newest first, not before `since`
    /// and at most `limit`.
    fn began(
        &self,
        labels: &Labels,
        since: Timestamp,
        except: Option<&str>,
        limit: usize,
    ) -> Vec<Timestamp>;

    /// When the alert with this key began to fire.
    fn starts(&self, key: &str) -> Starts;
}

/// When an alert began to fire.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Starts {
    /// Whether it still does, since the newest of them.
    pub firing: bool,
    /// The newest first.
    pub times: Vec<Timestamp>,
}

/// Whether an alert has these labels.
#[must_use]
pub fn has_labels(alert: &Labels, wanted: &Labels) -> bool {
    wanted.iter().all(|(name, value)| {
        let found = alert.get(name).map_or("", String::as_str);
        found == value
    })
}

/// A few alerts, for tests.
#[derive(Clone, Debug, Default)]
pub struct AlertList(pub Vec<ListedAlert>);

/// One of them.
#[derive(Clone, Debug, Default)]
pub struct ListedAlert {
    /// `INTEGRATION/FINGERPRINT`.
    pub key: String,
    pub labels: Labels,
    pub starts: Starts,
}

impl AlertList {
    fn with<'a>(
        &'a self,
        labels: &'a Labels,
        except: Option<&'a str>,
    ) -> impl Iterator<Item = &'a ListedAlert> {
        let others = self
            .0
            .iter()
            .filter(move |it| Some(it.key.as_str()) != except);
        others.filter(move |it| has_labels(&it.labels, labels))
    }
}

impl AlertIndex for AlertList {
    fn firing(&self, labels: &Labels, except: Option<&str>) -> u64 {
        let alerts = self.with(labels, except);
        alerts.filter(|it| it.starts.firing).count() as u64
    }

    fn began(
        &self,
        labels: &Labels,
        since: Timestamp,
        except: Option<&str>,
        limit: usize,
    ) -> Vec<Timestamp> {
        let alerts = self.with(labels, except);
        let newest = alerts.filter_map(|it| it.starts.times.iter().max().copied());
        let mut newest: Vec<_> = newest.filter(|at| *at >= since).collect();
        newest.sort_by(|a, b| b.cmp(a));
        newest.truncate(limit);
        newest
    }

    fn starts(&self, key: &str) -> Starts {
        let known = self.0.iter().find(|it| it.key == key);
        known.map(|it| it.starts.clone()).unwrap_or_default()
    }
}
