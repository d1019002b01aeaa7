//! Authorizes an action on who is on call and carries it out.

use std::sync::Arc;

use tocsin_core::Timestamp;

use super::OnCallAction;
use super::verb::Asked;
use crate::actions::{Caller, NotDone};
use crate::api::{OnCallOutcome, OverrideLine};
use crate::auth::Scope;
use crate::people::{Hindrance, MadeOverride, OverrideRefusal, ResponderLookup, Roster};
use crate::runtime::{Maker, OnCall, OverrideError, Writer};
use crate::time::in_zone;

/// What actions on who is on call need.
#[derive(Clone)]
pub(crate) struct OnCallDesk {
    pub(crate) on_call: Arc<OnCall>,
    /// To say that nothing reaches who is put on call.
    pub(crate) responders: ResponderLookup,
    pub(crate) writer: Writer,
    pub(crate) now: Timestamp,
}

/// Carries an action out if the caller may. A repeat with the same key gets the overrides that the
/// first one made, and changes nothing.
///
/// # Errors
/// [`NotDone`] when the caller may not, or the roster does not allow it.
pub(crate) async fn change_on_call(
    desk: &OnCallDesk,
    caller: &Caller,
    action: &OnCallAction,
    key: Option<String>,
) -> Result<OnCallOutcome, NotDone> {
    caller.need(Scope::Respond)?;
    let (by, now) = (&caller.by, desk.now);
    if let Some(id) = action.canceled() {
        let canceled = desk.on_call.cancel(id, now, &desk.writer).await?;
        let roster = desk.on_call.roster();
        let MadeOverride {
            rotation, person, ..
        } = &canceled;
        return Ok(OnCallOutcome {
            reply: format!(
                "the override of {rotation} by {person} is canceled; {} on call now",
                who(&roster, rotation, now)
            ),
            overrides: vec![OverrideLine::of(&canceled, &roster, now)],
            repeated: false,
        });
    }
    let request = key.unwrap_or_else(|| uuid::Uuid::now_v7().to_string());
    let request = request.as_str();
    let maker = Maker { by, now, request };
    let wanted = |roster: &Roster| action.wanted(Asked { roster, by, now });
    let (made, repeated) = desk.on_call.make(maker, &desk.writer, wanted).await?;
    let roster = desk.on_call.roster();
    let said: Vec<String> = made.iter().map(|it| desk.reply(&roster, it)).collect();
    Ok(OnCallOutcome {
        reply: said.join("; "),
        overrides: made
            .iter()
            .map(|it| OverrideLine::of(it, &roster, now))
            .collect(),
        repeated,
    })
}

impl OnCallDesk {
    /// Who is on call by an override, and what speaks against it.
    fn reply(&self, roster: &Roster, over: &MadeOverride) -> String {
        let MadeOverride {
            id,
            rotation,
            person,
            ..
        } = over;
        let zone = roster.rotations.get(rotation).map(|it| it.zone);
        let [from, until] = [over.from, over.until].map(|at| in_zone(zone.unwrap_or_default(), at));
        let mut reply =
            format!("{person} is on call for {rotation} from {from} until {until} (override {id})");
        let reach = |person: &_| self.responders.is_reachable(person);
        let found = roster.people.get(person);
        match found.and_then(|it| roster.hindrance(it, over.from, &reach)) {
            Some(Hindrance::Unreachable) => reply
                .push_str(", but nothing serves any of their contacts, so somebody else is paged"),
            Some(Hindrance::Absent(_)) => reply.push_str(
                ", but their calendar has them out of office then, so somebody else is paged if \
                 possible",
            ),
            None => {}
        }
        reply
    }
}

fn who(roster: &Roster, rotation: &str, now: Timestamp) -> String {
    let found = roster.rotations.get(rotation);
    match found.and_then(|it| it.on_call(now).into_iter().next()) {
        Some(person) => format!("{person} is"),
        None => "nobody is".to_owned(),
    }
}

impl From<OverrideError> for NotDone {
    fn from(error: OverrideError) -> Self {
        match error {
            OverrideError::Engine(error) => error.into(),
            OverrideError::Refused(refusal @ OverrideRefusal::Unknown(_)) => {
                Self::Missing(refusal.to_string())
            }
            OverrideError::Refused(refusal) => Self::Invalid(refusal.to_string()),
        }
    }
}
