//! Maps places in the configuration, such as `rotations.primary.layers[0].people[1]`, to lines
//! and columns of the file.

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

use super::fault::{Fault, Severity};

/// One step of the path to a value.
#[derive(Clone, Copy, Debug)]
pub enum Place<'a> {
    /// The key of a table.
    Key(&'a str),
    /// The item of an array, from 0.
    Item(usize),
}

impl<'a> From<&'a str> for Place<'a> {
    fn from(key: &'a str) -> Self {
        Self::Key(key)
    }
}

impl<'a> From<&'a String> for Place<'a> {
    fn from(key: &'a String) -> Self {
        Self::Key(key)
    }
}

impl From<usize> for Place<'_> {
    fn from(item: usize) -> Self {
        Self::Item(item)
    }
}

/// `at!["people", id, "contacts", 0]`: a place in the file.
macro_rules! at {
    ($($step:expr),* $(,)?) => { &[$($crate::config::Place::from($step)),*][..] };
}
pub(crate) use at;

/// A file's name and text, and the positions of its values.
#[derive(Clone, Debug)]
pub(super) struct Source {
    file: String,
    text: String,
    root: Node,
}

/// The position of a value, and the values inside it.
#[derive(Clone, Debug, Default)]
struct Node {
    byte: usize,
    keys: BTreeMap<String, Node>,
    items: Vec<Node>,
}

impl Source {
    pub(super) fn new(file: &str, text: &str, root: &DeTable<'_>) -> Self {
        let root = Node {
            keys: keys_of(root),
            ..Node::default()
        };
        Self {
            file: file.to_owned(),
            text: text.to_owned(),
            root,
        }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// An error at `place`, or at its nearest ancestor that exists in the file.
    pub(super) fn error(&self, place: &[Place<'_>], message: String, remedy: &str) -> Fault {
        self.fault_at(self.locate(place), Severity::Error, message, remedy)
    }

    pub(super) fn warning(&self, place: &[Place<'_>], message: String, remedy: &str) -> Fault {
        self.fault_at(self.locate(place), Severity::Warning, message, remedy)
    }

    /// A fault at a byte of the text.
    pub(super) fn fault_at(
        &self,
        byte: usize,
        severity: Severity,
        message: String,
        remedy: &str,
    ) -> Fault {
        let before = self.text.get(..byte).unwrap_or(&self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        let (file, remedy) = (self.file.clone(), remedy.to_owned());
        Fault {
            file,
            line,
            column,
            severity,
            message,
            remedy,
        }
    }

    /// The byte at which `place` begins: of a key or of an item.
    fn locate(&self, place: &[Place<'_>]) -> usize {
        let mut node = &self.root;
        for step in place {
            let inner = match step {
                Place::Key(key) => node.keys.get(*key),
                Place::Item(item) => node.items.get(*item),
            };
            match inner {
                Some(inner) => node = inner,
                None => break,
            }
        }
        node.byte
    }
}

fn keys_of(table: &DeTable<'_>) -> BTreeMap<String, Node> {
    let node = |byte, value| Node {
        byte,
        ..node_of(value)
    };
    table
        .iter()
        .map(|(key, value)| {
            (
                key.get_ref().clone().into_owned(),
                node(key.span().start, value.get_ref()),
            )
        })
        .collect()
}

fn node_of(value: &DeValue<'_>) -> Node {
    let keys = value.as_table().map(keys_of).unwrap_or_default();
    let items = value.as_array().map(|array| {
        let items = array.into_iter();
        items
            .map(|item| Node {
                byte: item.span().start,
                ..node_of(item.get_ref())
            })
            .collect()
    });
    Node {
        byte: 0,
        keys,
        items: items.unwrap_or_default(),
    }
}
