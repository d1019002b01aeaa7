//! Authorizes an action on who is on call and carries it out.

use std::sync::Arc;

use tocsin_core::{PersonId, Timestamp};

use super::OnCallAction;
use super::verb::Asked;
use crate::actions::{Caller, NotDone};
use crate::api::{OnCallOutcome, OverrideLine};
use crate::auth::Scope;
use crate::people::{Hindrance, MadeOverride, OverrideRefusal, ResponderLookup, Roster};
use crate::runtime::{Maker, OnCall, OverrideError, View, Writer};
use crate::time::in_zone;

/// What actions on who is on call, and questions about it, need.
#[derive(Clone)]
pub(crate) struct OnCallDesk {
    pub(crate) on_call: Arc<OnCall>,
    /// To say that nothing reaches who is put on call.
    pub(crate) responders: ResponderLookup,
    /// For what people had to do.
    pub(crate) view: Arc<View>,
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
        return Ok(OnCallOutcome {
            reply: cancel_reply(&roster, &canceled, now),
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
        let [from, until] = span_of(roster, over);
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

/// What was canceled, and who is on call instead: now, if it had begun, else in its time.
fn cancel_reply(roster: &Roster, canceled: &MadeOverride, now: Timestamp) -> String {
    let MadeOverride {
        id,
        rotation,
        person,
        ..
    } = canceled;
    let [from, until] = span_of(roster, canceled);
    let canceled_is = format!(
        "override {id} is canceled, by which {person} was on call for {rotation} from {from} \
         until {until}"
    );
    let found = roster.rotations.get(rotation);
    let name = |people: Vec<PersonId>| {
        let first = people.into_iter().next();
        first.map_or("nobody".to_owned(), |it| it.0)
    };
    if canceled.from <= now {
        let who = name(found.map(|it| it.on_call(now)).unwrap_or_default());
        return format!("{canceled_is}; {who} is on call now");
    }
    let shifts = found.map(|it| it.schedule(canceled.from, canceled.until));
    let mut who: Vec<String> = Vec::new();
    for shift in shifts.unwrap_or_default() {
        let name = name(shift.people);
        if !who.contains(&name) {
            who.push(name);
        }
    }
    format!("{canceled_is}; that time is now of {}", who.join(", "))
}

/// When an override begins and ends, in the rotation's zone.
fn span_of(roster: &Roster, over: &MadeOverride) -> [String; 2] {
    let zone = roster.rotation_zone(&over.rotation);
    [over.from, over.until].map(|at| in_zone(zone, at))
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
