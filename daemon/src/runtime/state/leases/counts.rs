//! Counts of alerts by their labels and by when they began to fire, which policies ask for.
//!
//! A question is answered once by looking at every alert, and from then on each change of an alert
//! changes the counts that it belongs to, so that in a storm of 100,000 alerts the same question
//! about each of them is not 100,000 searches. Labels are kept as hashes only.

use std::collections::hash_map::RandomState;
use std::collections::{BTreeSet, HashMap};
use std::hash::BuildHasher;
use std::sync::Arc;

use tocsin_core::{Alert, Labels, Timestamp, drill};
use tocsin_policy::{Starts, newest_of_each};

/// Questions whose counts are kept; with more, all are forgotten and asked anew.
const QUESTIONS_MAX: usize = 1_024;
/// Starts of alerts that the questions hold together; with more, all questions are forgotten.
const STARTS_HELD_MAX: usize = 1_000_000;

/// The alerts of a store, and the counts that were asked for.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    hasher: RandomState,
    alerts: HashMap<Arc<str>, Entry>,
    asked: HashMap<Labels, usize>,
    questions: Vec<Question>,
    /// Questions by the hash of a label that their alerts have.
    by_hash: HashMap<u64, Vec<usize>>,
    /// Questions that name no label's value.
    unnamed: Vec<usize>,
    starts_held: usize,
}

/// What is kept of an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    /// Of each label's name, and of the name with its value; in order.
    labels: Box<[(u64, u64)]>,
    firing: bool,
    /// The newest first.
    starts: Box<[Timestamp]>,
}

#[derive(Debug, Default)]
struct Question {
    /// Labels that an alert must have.
    has: Vec<(u64, u64)>,
    /// Names that it must not have.
    lacks: Vec<u64>,
    firing: u64,
    /// The alerts by when they last began to fire.
    began: BTreeSet<(Timestamp, Arc<str>)>,
}

impl Counts {
    /// Takes over an alert's row. Policies do not count the alerts of a drill.
    pub(super) fn set(&mut self, alert: &Alert) {
        if alert.integration.as_str() == drill::INTEGRATION {
            return;
        }
        let entry = Entry {
            labels: self.hashes(&alert.labels),
            firing: alert.firing,
            starts: alert.starts().collect(),
        };
        let known = self.alerts.get_key_value(alert.key().as_str());
        let known = known.map(|(key, entry)| (Arc::clone(key), entry.clone()));
        let key = match known {
            Some((_, before)) if before == entry => return,
            Some((key, before)) => {
                self.count(&key, &before, false);
                key
            }
            None => Arc::from(alert.key()),
        };
        self.count(&key, &entry, true);
        self.alerts.insert(key, entry);
        if self.starts_held > STARTS_HELD_MAX {
            self.forget_questions();
        }
    }

    /// Forgets an alert whose row is gone, unless it fires.
    pub(super) fn forget(&mut self, key: &str) {
        if self.alerts.get(key).is_none_or(|it| it.firing) {
            return;
        }
        if let Some((key, entry)) = self.alerts.remove_entry(key) {
            self.count(&key, &entry, false);
        }
    }

    /// As in [`AlertIndex`](tocsin_policy::AlertIndex).
    pub(crate) fn firing(&mut self, labels: &Labels, except: Option<&str>) -> u64 {
        let at = self.question(labels);
        let question = &self.questions[at];
        let left_out = except.and_then(|key| self.alerts.get(key));
        let is_counted = left_out.is_some_and(|it| it.firing && question.is_about(it));
        question.firing.saturating_sub(u64::from(is_counted))
    }

    /// As in [`AlertIndex`](tocsin_policy::AlertIndex).
    pub(crate) fn began(
        &mut self,
        labels: &Labels,
        since: Timestamp,
        except: Option<&str>,
        limit: usize,
    ) -> Vec<Timestamp> {
        let at = self.question(labels);
        let recent = self.questions[at].began.range((since, Arc::from(""))..);
        let others = recent.rev().filter(|(_, key)| Some(key.as_ref()) != except);
        others.take(limit).map(|(at, _)| *at).collect()
    }

    /// As in [`AlertIndex`](tocsin_policy::AlertIndex).
    pub(crate) fn began_by(
        &mut self,
        of: &str,
        labels: &Labels,
        since: Timestamp,
        except: Option<&str>,
        also: Option<(&str, Timestamp)>,
        limit: usize,
    ) -> Vec<Timestamp> {
        let at = self.question(labels);
        let recent = self.questions[at].began.range((since, Arc::from(""))..);
        let others = recent.rev().filter(|(_, key)| Some(key.as_ref()) != except);
        let name = self.hash(of, None);
        let value = |(at, key): &(_, Arc<str>)| Some((self.alerts.get(key)?.value(name)?, *at));
        let also = also.map(|(value, at)| (self.hash(of, Some(value)), at));
        newest_of_each(others.take(limit).filter_map(value).chain(also))
    }

    /// As in [`AlertIndex`](tocsin_policy::AlertIndex).
    pub(crate) fn starts(&self, key: &str) -> Starts {
        let entry = self.alerts.get(key);
        entry.map_or_else(Starts::default, |it| Starts {
            firing: it.firing,
            times: it.starts.to_vec(),
        })
    }

    /// The place of a question, which is answered if it is new.
    fn question(&mut self, labels: &Labels) -> usize {
        if let Some(at) = self.asked.get(labels) {
            return *at;
        }
        if self.questions.len() >= QUESTIONS_MAX {
            self.forget_questions();
        }
        let mut question = Question::default();
        for (name, value) in labels {
            match value.as_str() {
                "" => question.lacks.push(self.hash(name, None)),
                value => question.has.push(self.label(name, value)),
            }
        }
        for (key, entry) in &self.alerts {
            self.starts_held += question.count(key, entry, true);
        }
        let at = self.questions.len();
        match question.has.first() {
            Some((_, hash)) => self.by_hash.entry(*hash).or_default().push(at),
            None => self.unnamed.push(at),
        }
        self.questions.push(question);
        self.asked.insert(labels.clone(), at);
        at
    }

    /// Adds an alert to the questions that it belongs to, or takes it out of them.
    fn count(&mut self, key: &Arc<str>, entry: &Entry, adds: bool) {
        let labels = entry.labels.iter();
        let named = labels.filter_map(|(_, hash)| self.by_hash.get(hash));
        for at in named.flatten().chain(&self.unnamed) {
            let changed = self.questions[*at].count(key, entry, adds);
            match adds {
                true => self.starts_held += changed,
                false => self.starts_held -= changed,
            }
        }
    }

    fn forget_questions(&mut self) {
        self.asked.clear();
        self.questions.clear();
        self.by_hash.clear();
        self.unnamed.clear();
        self.starts_held = 0;
    }

    fn hashes(&self, labels: &Labels) -> Box<[(u64, u64)]> {
        let present = labels.iter().filter(|(_, value)| !value.is_empty());
        let hashes = present.map(|(name, value)| self.label(name, value));
        let mut hashes: Box<[_]> = hashes.collect();
        hashes.sort_unstable();
        hashes
    }

    /// The hashes of a label's name, and of the name with its value.
    fn label(&self, name: &str, value: &str) -> (u64, u64) {
        (self.hash(name, None), self.hash(name, Some(value)))
    }

    fn hash(&self, name: &str, value: Option<&str>) -> u64 {
        self.hasher.hash_one((name, value))
    }
}

impl Entry {
    /// The hash of the label with this name's hash.
    fn value(&self, name: u64) -> Option<u64> {
        let at = self.labels.binary_search_by_key(&name, |(name, _)| *name);
        self.labels.get(at.ok()?).map(|(_, hash)| *hash)
    }
}

impl Question {
    fn is_about(&self, entry: &Entry) -> bool {
        let has = |label: &(u64, u64)| entry.labels.binary_search(label).is_ok();
        self.has.iter().all(has) && !self.lacks.iter().any(|name| entry.value(*name).is_some())
    }

    /// Adds an alert or takes it out; how many starts were added or taken.
    fn count(&mut self, key: &Arc<str>, entry: &Entry, adds: bool) -> usize {
        if !self.is_about(entry) {
            return 0;
        }
        let firing = u64::from(entry.firing);
        let start = entry.starts.first().map(|at| (*at, Arc::clone(key)));
        let changed = match adds {
            true => {
                self.firing += firing;
                start.is_some_and(|it| self.began.insert(it))
            }
            false => {
                self.firing = self.firing.saturating_sub(firing);
                start.is_some_and(|it| self.began.remove(&it))
            }
        };
        usize::from(changed)
    }
}

#[cfg(test)]
mod tests;
