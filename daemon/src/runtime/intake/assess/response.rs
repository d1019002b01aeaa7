//! Asks the communication policy: how soon audiences hear more, and who responds.

use tocsin_core::{Cadence, Timestamp, Verdict};
use tocsin_policy::{IncidentFacts, IncidentView, fallback};

use super::Assessor;
use crate::runtime::state::view::IncidentState;

impl Assessor {
    /// How soon each audience of an incident hears more.
    #[must_use]
    pub fn cadence(&self, state: &IncidentState, now: Timestamp) -> Verdict<Cadence> {
        let incident = viewed(state);
        let asked = self.policies.cadence(&incident, &self.context(now));
        asked.unwrap_or_else(|report| {
            self.report(&report);
            fallback::usual_cadence(&incident, &report)
        })
    }
}

fn viewed(state: &IncidentState) -> IncidentView {
    IncidentView::new(IncidentFacts::of(&state.incident, state.tally.counts))
}
