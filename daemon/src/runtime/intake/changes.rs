//! Changes, such as deployments: each is kept, and noted in the open incidents of its services.

use tocsin_core::command::Command;
use tocsin_core::incident::Incident;
use tocsin_core::{AboutChange, Actor, Change, IncidentId};

use super::Intake;
use crate::runtime::engine::request::{Cause, Request};
use crate::runtime::error::EngineError;

/// Most open incidents in which one change is noted, the newest first.
const INCIDENTS_MAX: usize = 64;

impl Intake {
    /// Keeps a change, and notes it in the open incidents of its services. When this returns, both
    /// are durable. A change that is reported again changes nothing, so a sender may repeat what
    /// failed half way.
    ///
    /// # Errors
    /// [`EngineError`] when it cannot be taken now.
    pub async fn take_change(&self, change: Change) -> Result<(), EngineError> {
        let mut brief = change.brief();
        let (services, by) = (
            change.services.clone(),
            Actor::Integration(change.integration.clone()),
        );
        brief.at = brief.at.min(self.clock.now());
        self.writer.offer(Request::Change(Box::new(change))).await?;
        // An incident that opens from now on finds the change, and the view has all that opened
        // before.
        let mut noted = Vec::new();
        for incident in self.concerned(&services) {
            let request = Request::Command {
                incident,
                by: by.clone(),
                command: Command::Change(AboutChange::Reported(brief.clone())),
                cause: Cause::default(),
            };
            noted.push(self.writer.enqueue_when_free(request).await?);
        }
        for pending in noted {
            pending.answer().await?;
        }
        Ok(())
    }

    fn concerned(&self, services: &[String]) -> Vec<IncidentId> {
        let states = self.view.in_memory();
        let incidents = states.iter().map(|it| it.incident.as_ref());
        let concerned = incidents.filter(|it| it.is_concerned_by(services));
        let mut found: Vec<&Incident> = concerned.collect();
        found.sort_by_key(|it| std::cmp::Reverse(it.number));
        if found.len() > INCIDENTS_MAX {
            let more = found.len() - INCIDENTS_MAX;
            tracing::warn!(
                more,
                "a change concerns too many incidents; it is noted in the newest"
            );
        }
        let newest = found.into_iter().take(INCIDENTS_MAX);
        newest.map(|it| it.id.clone()).collect()
    }
}
