//! The search for people who take the roles besides the operator: the communication policy names
//! them, and they are asked one after the other until one accepts.

use crate::event::Event;
use crate::incident::Incident;
use crate::outcome::{Env, Named, Outcome};
use crate::refusal::Refusal;
use crate::roles::decide::{declined, may_have_both, offer};
use crate::roles::response::Response;
use crate::roles::role::{Declined, Role};
use crate::{PersonId, Timestamp, Verdict};

/// The policy says who responds. `seen`: for when it was to be asked as far as it could see.
pub(crate) fn respond(
    incident: &Incident,
    due: Timestamp,
    seen: Option<Timestamp>,
    verdict: Option<Verdict<Response>>,
    env: Env<'_>,
) -> Result<Outcome, Refusal> {
    let ask_at = incident.roles.call.ask_at;
    let is_due = ask_at == Some(due) && due <= env.now && incident.is_active();
    is_due
        .then_some(())
        .ok_or(Refusal::Stale("the question who responds"))?;
    // It was asked about another operator or grade, or before there were any.
    let verdict = verdict.filter(|_| seen == ask_at);
    let Verdict {
        value:
            Response {
                commander,
                spokesperson,
                shadow,
            },
        reason,
        source,
    } = verdict.ok_or(Refusal::NeedsVerdict)?;
    Ok(Outcome::of(vec![Event::RespondersChosen {
        commander: who_may(incident, Role::Commander, commander),
        spokesperson: who_may(incident, Role::Spokesperson, spokesperson),
        shadow: who_may(incident, Role::Shadow, shadow),
        reason,
        source,
    }]))
}

/// Which of these people to ask to take a role: none while somebody has it, and not the one who is
/// being asked already. The operator has enough to do, unless the incident is minor.
fn who_may(incident: &Incident, role: Role, mut people: Vec<PersonId>) -> Vec<PersonId> {
    let roles = &incident.roles;
    let spares_operator = role != Role::Spokesperson || !may_have_both(incident);
    people.retain(|it| {
        let is_operator = roles.operator.as_ref() == Some(it);
        let is_asked = roles.offered.get(&role) == Some(it);
        roles.of(role).is_none() && !is_asked && !(is_operator && spares_operator)
    });
    people
}

/// The next person is asked to take a role. `to`: looked up now.
pub(crate) fn offer_due(
    incident: &Incident,
    role: Role,
    due: Timestamp,
    to: Option<&Named>,
    env: Env<'_>,
) -> Result<Outcome, Refusal> {
    let next = incident.roles.next_offer(role);
    let next = next.filter(|(at, _)| *at == due && due <= env.now && incident.is_active());
    let (_, next) = next.ok_or(Refusal::Stale("the offer of the role"))?;
    let to = to.filter(|it| it.id == *next);
    let person = to.ok_or(Refusal::OtherStep)?.reachable();
    let offered = person.and_then(|it| offer(incident, role, it, env));
    let unreached = || declined(incident, role, next, Declined::Unreached);
    Ok(Outcome::of(offered.unwrap_or_else(unreached)))
}
