//! What a command needs before it can be decided: the people whom it names, and what the policies
//! say.

use std::sync::Arc;

use tocsin_core::command::{Command, Opening};
use tocsin_core::{Grade, IncidentId, Timestamp, Verdict};

use super::Intake;
use super::assess::Assessor;
use crate::runtime::error::EngineError;
use crate::runtime::state::view::IncidentState;

impl Intake {
    /// The command with the people whom it names. One that sets a grade or reopens an incident also
    /// gets the escalation plan, and an update that does not say when the next one comes the
    /// cadence.
    ///
    /// # Errors
    /// [`EngineError`] when the store fails or there are too many calls.
    pub(crate) async fn completed(
        self: &Arc<Self>,
        incident: &IncidentId,
        mut command: Command,
    ) -> Result<Command, EngineError> {
        for named in command.named() {
            let found = self.assessor.responders.person(&named.id);
            named.person = found.map(Box::new);
        }
        match &mut command {
            Command::Grade {
                grade,
                replan: replan @ None,
                ..
            } => *replan = self.replan(incident, Some(*grade)).await?,
            Command::ReopenDue {
                replan: replan @ None,
                ..
            } => *replan = self.replan(incident, None).await?,
            Command::Update {
                next_ms: None,
                cadence: cadence @ None,
                ..
            } => *cadence = self.verdict(incident, Assessor::cadence).await?,
            _ => {}
        }
        Ok(command)
    }

    /// The plan for an incident's grade, or for another.
    async fn replan(
        self: &Arc<Self>,
        incident: &IncidentId,
        grade: Option<Grade>,
    ) -> Result<Option<Box<Opening>>, EngineError> {
        self.asked(incident, move |assessor, state, (now, position)| {
            let grade = grade.unwrap_or(state.incident.grading.grade);
            assessor.replan(state, grade, now).read_at(position)
        })
        .await
    }

    /// A verdict on an incident.
    async fn verdict<T: Send + 'static>(
        self: &Arc<Self>,
        incident: &IncidentId,
        ask: fn(&Assessor, &IncidentState, Timestamp) -> Verdict<T>,
    ) -> Result<Option<Box<Verdict<T>>>, EngineError> {
        self.asked(incident, move |assessor, state, (now, position)| {
            let mut verdict = ask(assessor, state, now);
            verdict.source.read_at = Some(position);
            verdict
        })
        .await
    }

    /// What policies say of an incident as it is now. They are asked with the time, and the
    /// position in the feed up to which that is current. `None` when there is no such incident.
    async fn asked<T: Send + 'static>(
        self: &Arc<Self>,
        incident: &IncidentId,
        ask: impl FnOnce(&Assessor, &IncidentState, (Timestamp, u64)) -> T + Send + 'static,
    ) -> Result<Option<Box<T>>, EngineError> {
        let id = incident.clone();
        self.in_policy_pool(move |it| {
            let now = it.clock.now();
            let snapshot = it.view.snapshot(now)?;
            let state = snapshot.incident(&id)?;
            let position = snapshot.position().0;
            Ok(state.map(|state| Box::new(ask(&it.assessor, &state, (now, position)))))
        })
        .await
    }
}
