//! Authorizes an action and carries it out.

use std::sync::Arc;

use serde_json::Value;
use tocsin_core::IncidentId;
use tocsin_core::command::Refusal;

use super::authorize::authorize;
use super::{Action, Caller, Denied};
use crate::api::Outcome;
use crate::runtime::{Cause, Done, EngineError, Intake};

/// Why an action was not carried out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotDone {
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error("{0}")]
    Invalid(String),
    /// What the action names does not exist.
    #[error("{0}")]
    Missing(String),
    #[error(transparent)]
    Engine(EngineError),
}

/// Carries an action out if the caller may; `via` is the channel that it came through. A repeat
/// with the same key gets the first answer and changes nothing.
///
/// # Errors
/// [`NotDone`] when the caller may not, or the engine refuses.
pub(crate) async fn perform(
    intake: &Arc<Intake>,
    caller: Caller,
    id: IncidentId,
    action: Action,
    via: &str,
    cause: impl Into<Cause>,
) -> Result<Outcome, NotDone> {
    authorize(&caller)?;
    let mut command = action.into_command(via, caller.clearance);
    for named in command.named() {
        let roster = intake.responders().rosters.now();
        if !roster.people.contains_key(&named.id) {
            return Err(NotDone::Invalid(roster.no_person(named.id.as_str())));
        }
    }
    Ok(intake.command(id, caller.by, command, cause).await?.into())
}

impl From<EngineError> for NotDone {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Refused(Refusal::Classified) => Denied::Clearance.into(),
            error => Self::Engine(error),
        }
    }
}

impl From<Done> for Outcome {
    fn from(done: Done) -> Self {
        if let Some(earlier) = done.repeated {
            let text = |name: &str| earlier.get(name).and_then(Value::as_str);
            return Self {
                number: earlier.get("number").and_then(Value::as_u64),
                id: text("incident").map(str::to_owned),
                reply: text("reply").unwrap_or_default().to_owned(),
                events: 0,
                repeated: true,
            };
        }
        let incident = done.incident.as_deref();
        Self {
            number: incident.map(|it| it.number),
            id: incident.map(|it| it.id.to_string()),
            reply: done.reply,
            events: done.events,
            repeated: false,
        }
    }
}
