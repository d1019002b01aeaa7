//! The traces of one function as a decision tree. The same answers lead to the same next read, so
//! a question that was answered before is answered by walking down, without running the script.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Answer, Facts, Read, Trace};

/// Nodes of one tree. A full tree is emptied and grows anew, so that what is asked now is in it.
pub(crate) const NODES_MAX: usize = 50_000;

/// What was answered, by what was read.
#[derive(Debug)]
pub(crate) struct Tree<T> {
    /// The first one is the root.
    nodes: Vec<Node<T>>,
}

#[derive(Debug)]
enum Node<T> {
    /// Not known yet.
    Open,
    Read(Read, HashMap<Answer, usize>),
    Known(Arc<T>),
}

impl<T> Default for Tree<T> {
    fn default() -> Self {
        Self {
            nodes: vec![Node::Open],
        }
    }
}

impl<T> Tree<T> {
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The answer of an earlier call that read the same, if there was one.
    pub(crate) fn get(&self, facts: Facts<'_>) -> Option<Arc<T>> {
        let mut at = 0;
        loop {
            match self.nodes.get(at)? {
                Node::Open => return None,
                Node::Known(known) => return Some(Arc::clone(known)),
                Node::Read(read, next) => at = *next.get(&read.answer(facts)?)?,
            }
        }
    }

    /// Adds what a call that read this answered. A trace that was cut is not added, nor is one
    /// that contradicts the tree.
    pub(crate) fn insert(&mut self, trace: &Trace, known: Arc<T>) {
        if trace.is_cut {
            return;
        }
        if self.nodes.len().saturating_add(trace.reads.len()) >= NODES_MAX {
            *self = Self::default();
        }
        let mut at = 0;
        for (read, answer) in &trace.reads {
            let end = self.nodes.len();
            let node = &mut self.nodes[at];
            if matches!(node, Node::Open) {
                *node = Node::Read(read.clone(), HashMap::new());
            }
            let Node::Read(known, next) = node else {
                return;
            };
            if known != read {
                return;
            }
            at = *next.entry(answer.clone()).or_insert(end);
            if at == end {
                self.nodes.push(Node::Open);
            }
        }
        if matches!(self.nodes[at], Node::Open) {
            self.nodes[at] = Node::Known(known);
        }
    }
}
