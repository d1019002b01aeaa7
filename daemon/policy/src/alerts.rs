//! The daemon's alerts and incidents, as policies ask about them: how many alerts fire, when they
//! began to, and whether an incident is open.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use tocsin_core::{IncidentKey, Labels, Timestamp};

/// The alerts and incidents that a policy can ask about. Labels are those that an alert must have;
/// an empty text means that it must not have the label. `except` is the key of an alert that is
/// left out.
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

    /// The same for each value of the label `of`, among the newest `limit` of these alerts: when
    /// the newest with it began. Alerts without the label have no value. `also` is the value of
    /// another alert, and when that began.
    fn began_by(
        &self,
        of: &str,
        labels: &Labels,
        since: Timestamp,
        except: Option<&str>,
        also: Option<(&str, Timestamp)>,
        limit: usize,
    ) -> Vec<Timestamp>;

    /// When the alert with this key began to fire.
    fn starts(&self, key: &str) -> Starts;

    /// Whether an incident is open that an alert with this key would join.
    fn is_open(&self, key: &IncidentKey) -> bool;
}

/// When an alert began to fire.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Starts {
    /// Whether it still does, since the newest of them.
    pub firing: bool,
    /// The newest first.
    pub times: Vec<Timestamp>,
}

/// The newest time of each value, the newest first.
#[must_use]
pub fn newest_of_each<V: Ord>(values: impl IntoIterator<Item = (V, Timestamp)>) -> Vec<Timestamp> {
    let mut newest: BTreeMap<V, Timestamp> = BTreeMap::new();
    for (value, at) in values {
        let known = newest.entry(value).or_insert(at);
        *known = at.max(*known);
    }
    let mut newest: Vec<_> = newest.into_values().collect();
    newest.sort_by(|a, b| b.cmp(a));
    newest
}

/// Whether an alert has these labels.
#[must_use]
pub fn has_labels(alert: &Labels, wanted: &Labels) -> bool {
    wanted.iter().all(|(name, value)| {
        let found = alert.get(name).map_or("", String::as_str);
        found == value
    })
}

/// A few alerts and open incidents, for tests.
#[derive(Clone, Debug, Default)]
pub struct AlertList {
    pub alerts: Vec<ListedAlert>,
    /// An alert that is routed to one of these joins at once.
    pub open: BTreeSet<IncidentKey>,
}

/// One of them.
#[derive(Clone, Debug, Default)]
pub struct ListedAlert {
    /// `INTEGRATION/FINGERPRINT`.
    pub key: String,
    pub labels: Labels,
    pub starts: Starts,
}

impl AlertList {
    /// The newest alerts with these labels, and when each last began to fire.
    fn newest<'a>(
        &'a self,
        labels: &'a Labels,
        since: Timestamp,
        except: Option<&'a str>,
        limit: usize,
    ) -> Vec<(Timestamp, &'a ListedAlert)> {
        let alerts = self.with(labels, except);
        let newest = alerts.filter_map(|it| Some((*it.starts.times.iter().max()?, it)));
        let mut newest: Vec<_> = newest.filter(|(at, _)| *at >= since).collect();
        newest.sort_by_key(|(at, it)| std::cmp::Reverse((*at, it.key.as_str())));
        newest.truncate(limit);
        newest
    }

    fn with<'a>(
        &'a self,
        labels: &'a Labels,
        except: Option<&'a str>,
    ) -> impl Iterator<Item = &'a ListedAlert> {
        let others = self
            .alerts
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
        let newest = self.newest(labels, since, except, limit);
        newest.into_iter().map(|(at, _)| at).collect()
    }

    fn began_by(
        &self,
        of: &str,
        labels: &Labels,
        since: Timestamp,
        except: Option<&str>,
        also: Option<(&str, Timestamp)>,
        limit: usize,
    ) -> Vec<Timestamp> {
        let newest = self.newest(labels, since, except, limit).into_iter();
        let values = newest.filter_map(|(at, it)| Some((it.labels.get(of)?.as_str(), at)));
        newest_of_each(values.filter(|(value, _)| !value.is_empty()).chain(also))
    }

    fn starts(&self, key: &str) -> Starts {
        let known = self.alerts.iter().find(|it| it.key == key);
        known.map(|it| it.starts.clone()).unwrap_or_default()
    }

    fn is_open(&self, key: &IncidentKey) -> bool {
        self.open.contains(key)
    }
}
