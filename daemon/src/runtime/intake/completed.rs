//! What a command needs before it can be decided: the people whom it names, and what the policies
//! say.

use std::sync::Arc;

use tocsin_core::command::{Command, Named, Opening};
use tocsin_core::{Grade, IncidentId, Question, Timestamp};

use super::Intake;
use super::assess::Assessor;
use crate::runtime::error::EngineError;
use crate::runtime::state::view::IncidentState;

impl Intake {
    /// The command with the people whom it names. One that sets a grade, also by an answer, or
    /// reopens an incident gets the escalation plan too, an update that does not say when the next
    /// one comes the cadence, and the question who responds its answer.
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
            Command::Reopen {
                replan: replan @ None,
                ..
            } => *replan = self.replan(incident, None).await?,
            Command::Answer {
                prompt,
                choice,
                replan: replan @ None,
                to,
                ..
            } => {
                let state = self.view.incident(incident)?;
                let asked = state.and_then(|it| it.incident.prompts.all.get(prompt).cloned());
                let question = asked.map(|it| it.question);
                if let Some(grade) = question.and_then(|it| it.grade_of(choice)) {
                    *replan = self.replan(incident, Some(grade)).await?;
                }
                if question == Some(Question::HandOver) {
                    *to = self.next_on_call(incident)?;
                }
            }
            Command::Update {
                next_ms: None,
                cadence: cadence @ None,
                ..
            } => {
                let asked = self.asked(incident, |assessor, state, (now, position)| {
                    assessor.cadence(state, now).read_at(position)
                });
                *cadence = asked.await?.map(Box::new);
            }
            Command::Respond {
                seen,
                verdict: verdict @ None,
                ..
            } => {
                let asked = self.asked(incident, |assessor, state, (now, position)| {
                    let verdict = assessor.respond(state, now).read_at(position);
                    (state.incident.roles.call.ask_at, Box::new(verdict))
                });
                if let Some((at, found)) = asked.await? {
                    (*seen, *verdict) = (at, Some(found));
                }
            }
            _ => {}
        }
        Ok(command)
    }

    /// Who is on call after the operator's shift.
    fn next_on_call(&self, incident: &IncidentId) -> Result<Option<Named>, EngineError> {
        let state = self.view.incident(incident)?;
        let shift = state.and_then(|it| it.incident.roles.shift.clone());
        Ok(shift.map(|it| {
            let person = self.assessor.responders.person(&it.next);
            let person = person.map(Box::new);
            Named {
                id: it.next,
                person,
            }
        }))
    }

    /// The plan for an incident's grade, or for another.
    async fn replan(
        self: &Arc<Self>,
        incident: &IncidentId,
        grade: Option<Grade>,
    ) -> Result<Option<Box<Opening>>, EngineError> {
        let asked = self.asked(incident, move |assessor, state, (now, position)| {
            let grade = grade.unwrap_or(state.incident.grading.grade);
            assessor.replan(state, grade, now).read_at(position)
        });
        Ok(asked.await?.map(Box::new))
    }

    /// What policies say of an incident as it is now. They are asked with the time, and the
    /// position in the feed up to which that is current. `None` when there is no such incident.
    async fn asked<T: Send + 'static>(
        self: &Arc<Self>,
        incident: &IncidentId,
        ask: impl FnOnce(&Assessor, &IncidentState, (Timestamp, u64)) -> T + Send + 'static,
    ) -> Result<Option<T>, EngineError> {
        let id = incident.clone();
        self.in_policy_pool(move |it| {
            let now = it.clock.now();
            let snapshot = it.view.snapshot(now)?;
            let state = snapshot.incident(&id)?;
            let position = snapshot.position().0;
            Ok(state.map(|state| ask(&it.assessor, &state, (now, position))))
        })
        .await
    }
}
