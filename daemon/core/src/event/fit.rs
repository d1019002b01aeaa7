//! Shrinks events to fit into a store's largest value.

use crate::PolicySource;
use crate::event::Event;
use crate::text::cut;

/// Most bytes of an event as JSON; with its envelope it must fit into a store's largest value.
pub const EVENT_BYTES_MAX: usize = 7 * 1_024;
/// Length of a summary truncated so that its event fits, in bytes.
const SHED_SUMMARY_BYTES: usize = 512;
/// Labels, and bytes of each value, kept when labels are truncated so that their event fits.
const SHED_LABELS: usize = 16;
const SHED_LABEL_BYTES: usize = 64;

impl Event {
    /// The event reduced to [`EVENT_BYTES_MAX`]. Verdict inputs are dropped first, then the summary
    /// and the labels are truncated: a very large alert must still open its incident.
    #[must_use]
    pub fn fitted(mut self) -> Self {
        let mut step = 0;
        while self.json_bytes() > EVENT_BYTES_MAX && self.shed(step) {
            step += 1;
        }
        self
    }

    fn json_bytes(&self) -> usize {
        serde_json::to_vec(self).map_or(0, |json| json.len())
    }

    /// Drops or truncates one thing; false when nothing is left to drop.
    fn shed(&mut self, step: usize) -> bool {
        let drop_input = |source: &mut Option<PolicySource>| {
            if let Some(source) = source {
                source.input = None;
            }
        };
        match self {
            Self::Opened(opened) => {
                match step {
                    0 => drop_input(&mut opened.plan_source),
                    1 => drop_input(&mut opened.grade_source),
                    2 => drop_input(&mut opened.route_source),
                    3 => {
                        opened.summary =
                            cut(std::mem::take(&mut opened.summary), SHED_SUMMARY_BYTES)
                    }
                    4 => {
                        let labels = std::mem::take(&mut opened.labels).into_iter();
                        let short = labels.take(SHED_LABELS);
                        opened.labels = short
                            .map(|(name, value)| (name, cut(value, SHED_LABEL_BYTES)))
                            .collect();
                    }
                    // The runbook is the first.
                    5 => opened.links.truncate(1),
                    6 => opened.link = None,
                    7 => opened.links.clear(),
                    8 => opened.merges.clear(),
                    _ => return false,
                }
                true
            }
            Self::Graded { source, .. }
            | Self::GradeProposed { source, .. }
            | Self::UpdatePosted { source, .. } => match source {
                Some(source) => source.shed(step),
                None => false,
            },
            Self::Absorbed { services, .. } => services.pop().is_some(),
            Self::Planned { source, .. } | Self::RespondersChosen { source, .. } => {
                source.shed(step)
            }
            _ => false,
        }
    }
}

impl PolicySource {
    fn shed(&mut self, step: usize) -> bool {
        match step {
            0 => self.input = None,
            1 => {
                let report = self.fallback.take();
                self.fallback = report.map(|it| cut(it, SHED_SUMMARY_BYTES));
            }
            _ => return false,
        }
        true
    }
}
