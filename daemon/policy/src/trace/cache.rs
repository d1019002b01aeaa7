//! The verdicts of one function that are known, a decision tree per file. It belongs to a set of
//! policies, so a reload begins with an empty one, and an answer that a script of the old set still
//! gives does not reach the new set.

use std::collections::BTreeMap;
use std::ops::Add;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::RwLock;
use serde_json::Value;

use super::{Basis, Facts, Trace, Tree};

/// Files whose verdicts are known: the shared one, and those of teams.
const FILES_MAX: usize = 64;

/// A verdict and what it was decided from.
#[derive(Debug)]
pub(crate) struct Known<T> {
    pub(crate) value: T,
    pub(crate) reason: String,
    pub(crate) basis: Basis,
    /// The line of the file that returned it.
    pub(crate) line: Option<u32>,
    /// The trace as it is stored with a verdict.
    pub(crate) input: Arc<Value>,
}

impl<T> Known<T> {
    pub(crate) fn new(value: T, reason: String, line: Option<u32>, trace: Trace) -> Self {
        let input = Arc::new(trace.bounded());
        let shape = trace.shape().into();
        let trace = Arc::new(trace);
        Self {
            value,
            reason,
            basis: Basis { trace, shape },
            line,
            input,
        }
    }
}

pub(crate) struct Cache<T> {
    files: RwLock<BTreeMap<String, Tree<Known<T>>>>,
    hits: AtomicU64,
    misses: AtomicU64,
}

/// How often an answer was known, and how much is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheStats {
    /// Questions that were answered without running a script.
    pub hits: u64,
    pub misses: u64,
    /// Nodes of all decision trees.
    pub nodes: usize,
}

impl<T> Default for Cache<T> {
    fn default() -> Self {
        Self {
            files: RwLock::default(),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
        }
    }
}

impl<T> Cache<T> {
    pub(crate) fn get(&self, file: &str, facts: Facts<'_>) -> Option<Arc<Known<T>>> {
        let known = self.files.read().get(file).and_then(|tree| tree.get(facts));
        let counter = if known.is_some() {
            &self.hits
        } else {
            &self.misses
        };
        counter.fetch_add(1, Ordering::Relaxed);
        known
    }

    pub(crate) fn add(&self, file: &str, known: Known<T>) -> Arc<Known<T>> {
        let known = Arc::new(known);
        let mut files = self.files.write();
        if files.len() >= FILES_MAX && !files.contains_key(file) {
            files.clear();
        }
        let tree = files.entry(file.to_owned()).or_default();
        tree.insert(&known.basis.trace, Arc::clone(&known));
        known
    }

    pub(crate) fn forget(&self) {
        self.files.write().clear();
        self.hits.store(0, Ordering::Relaxed);
        self.misses.store(0, Ordering::Relaxed);
    }

    pub(crate) fn stats(&self) -> CacheStats {
        CacheStats {
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
            nodes: self.files.read().values().map(Tree::len).sum(),
        }
    }
}

impl Add for CacheStats {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            hits: self.hits.saturating_add(other.hits),
            misses: self.misses.saturating_add(other.misses),
            nodes: self.nodes.saturating_add(other.nodes),
        }
    }
}
