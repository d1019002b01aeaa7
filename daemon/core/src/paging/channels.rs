//! The kinds of contacts that pages can be delivered to.

use std::collections::BTreeSet;

/// The kinds of contacts that something currently delivers to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Channels(BTreeSet<String>);

impl Channels {
    /// Whether something delivers to contacts of this kind.
    #[must_use]
    pub fn serve(&self, kind: &str) -> bool {
        self.0.contains(kind)
    }
}

impl<S: Into<String>> FromIterator<S> for Channels {
    fn from_iter<I: IntoIterator<Item = S>>(kinds: I) -> Self {
        Self(kinds.into_iter().map(Into::into).collect())
    }
}
