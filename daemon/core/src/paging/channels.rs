//! The kinds of contacts that pages can be delivered to.

use std::collections::BTreeSet;

/// The kinds of contacts that something currently delivers to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Channels {
    served: BTreeSet<String>,
    asking: BTreeSet<String>,
}

impl Channels {
    /// Those through which questions can be asked, too.
    #[must_use]
    pub fn asking<S: Into<String>>(mut self, kinds: impl IntoIterator<Item = S>) -> Self {
        self.asking.extend(kinds.into_iter().map(Into::into));
        self
    }

    /// Whether a question can be asked through contacts of this kind.
    #[must_use]
    pub fn ask(&self, kind: &str) -> bool {
        self.asking.contains(kind)
    }

    /// Whether something delivers to contacts of this kind.
    #[must_use]
    pub fn serve(&self, kind: &str) -> bool {
        self.served.contains(kind)
    }
}

impl<S: Into<String>> FromIterator<S> for Channels {
    fn from_iter<I: IntoIterator<Item = S>>(kinds: I) -> Self {
        Self {
            served: kinds.into_iter().map(Into::into).collect(),
            asking: BTreeSet::new(),
        }
    }
}
