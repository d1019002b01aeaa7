//! Changes, such as deployments: what is kept of them, and what an incident that opens looks at.

use tocsin_core::command::Outcome;
use tocsin_core::incident::Incident;
use tocsin_core::{Change, Timestamp, services_of_opening, suspected};

use crate::runtime::engine::Engine;
use crate::runtime::engine::plan::Planned;
use crate::runtime::error::EngineError;
use crate::runtime::state::tables::{change, service_change};

impl Engine {
    /// Keeps a change, for policies and for the incidents of its services that open later. Those
    /// that are open hear of it by a command each, once this is durable.
    pub(super) fn plan_change(
        &mut self,
        change: &Change,
        now: Timestamp,
    ) -> Result<Planned, EngineError> {
        let mut planned = Planned::default();
        change::record(change.clone(), now)?.lay_out(&mut planned.batch);
        let mut brief = change.brief();
        // Its sender's clock may be ahead, but it has been made.
        brief.at = brief.at.min(now);
        for service in change
            .services
            .iter()
            .filter(|it| service_change::is_name(it))
        {
            let mut changes = self.changes_of(service)?;
            changes.add(brief.clone());
            self.write_changes(service, changes, now, &mut planned)?;
        }
        Ok(planned)
    }

    /// An incident that opens, or opens again, suspects the changes in the time before.
    pub(super) fn look_up_suspects(
        &mut self,
        before: Option<&Incident>,
        outcome: &mut Outcome,
        now: Timestamp,
    ) -> Result<(), EngineError> {
        let services = services_of_opening(before, &outcome.events);
        let mut changes = Vec::new();
        for service in services.iter().filter(|it| service_change::is_name(it)) {
            changes.extend(self.changes_of(service)?.newest);
        }
        let found = suspected(before, &changes, self.env(now));
        outcome.follow_ups.extend(found);
        Ok(())
    }
}
