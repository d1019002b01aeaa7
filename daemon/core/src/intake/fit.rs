//! Shrinks the row of an alert to fit into a store's largest value: a large alert must be kept,
//! whatever else is noted about it.

use crate::intake::{Alert, Place};
use crate::text::{cut, escaped_bytes};

/// Most bytes of an alert as JSON, less than a store's largest value.
pub const ALERT_BYTES_MAX: usize = 7_936;
/// Bytes of texts with which an alert surely fits.
const TEXTS_BYTES_SMALL: usize = 5_000;
/// Length of a reason and of a summary that were cut to make room, in bytes.
const SHED_TEXT_BYTES: usize = 128;

impl Alert {
    /// The alert reduced to [`ALERT_BYTES_MAX`]: first what is said about its route is left out,
    /// and then its link, its annotations and most of its summary. Labels stay, as policies need
    /// them.
    #[must_use]
    pub fn fitted(mut self) -> Self {
        if self.texts_bytes() <= TEXTS_BYTES_SMALL {
            return self;
        }
        let mut step = 0;
        while self.json_bytes() > ALERT_BYTES_MAX && self.shed(step) {
            step += 1;
        }
        self
    }

    fn texts_bytes(&self) -> usize {
        let pairs = self.labels.iter().chain(&self.annotations);
        let texts = pairs.flat_map(|(name, value)| [name, value]);
        let routed_by = self.routed_by.iter();
        let routed_by =
            routed_by.flat_map(|it| [&it.reason].into_iter().chain(&it.source.fallback));
        let reason = match &self.place {
            Place::Ignored { reason, .. } => Some(reason),
            _ => None,
        };
        let texts = texts.chain([&self.title, &self.summary]).chain(&self.link);
        let texts = texts
            .chain(routed_by)
            .chain(reason)
            .chain(&self.silenced_by);
        texts.map(|it| escaped_bytes(it)).sum()
    }

    fn json_bytes(&self) -> usize {
        serde_json::to_vec(self).map_or(0, |json| json.len())
    }

    /// Leaves out one thing; false when nothing is left to leave out.
    fn shed(&mut self, step: usize) -> bool {
        let short = |text: &mut String| *text = cut(std::mem::take(text), SHED_TEXT_BYTES);
        match step {
            0 => self.routed_by = None,
            1 => {
                if let Place::Ignored { reason, .. } = &mut self.place {
                    short(reason);
                }
            }
            2 => self.link = None,
            3 => self.annotations.clear(),
            4 => short(&mut self.summary),
            _ => return false,
        }
        true
    }
}
