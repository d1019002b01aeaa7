//! The trace of a simulated run, as lines and as a hash for comparison.

use sha2::{Digest, Sha256};

#[derive(Clone, Debug, Default)]
pub(super) struct Trace {
    hasher: Sha256,
    lines: Option<Vec<String>>,
}

impl Trace {
    /// A trace that keeps its lines, or only their hash.
    #[must_use]
    pub(super) fn new(keeps_lines: bool) -> Self {
        Self {
            hasher: Sha256::new(),
            lines: keeps_lines.then(Vec::new),
        }
    }

    /// Adds a line.
    pub(super) fn say(&mut self, line: impl FnOnce() -> String) {
        let line = line();
        self.hasher.update(line.as_bytes());
        self.hasher.update(b"\n");
        if let Some(lines) = &mut self.lines {
            lines.push(line);
        }
    }

    /// The hash of all lines.
    #[must_use]
    pub(super) fn hash(&self) -> String {
        hex::encode(self.hasher.clone().finalize())
    }

    /// The lines, if they are kept.
    #[must_use]
    pub(super) fn lines(&self) -> &[String] {
        self.lines.as_deref().unwrap_or_default()
    }
}
