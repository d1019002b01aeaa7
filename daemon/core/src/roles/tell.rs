//! The timers and log lines of roles.

use crate::event::{Event, Recorded};
use crate::prompts::Question;
use crate::roles::call::Call;
use crate::roles::role::{Declined, Role};
use crate::roles::state::Roles;
use crate::time::in_words;
use crate::timer::TimerKind;
use crate::{PersonId, Timestamp};

/// When the policy is asked who responds, and when the next person is asked to take each role.
pub(crate) fn timers(roles: &Roles) -> impl Iterator<Item = (Timestamp, TimerKind)> {
    let ask = roles.call.ask_at.map(|at| (at, TimerKind::Respond));
    let offers = Call::ROLES.into_iter().filter_map(|role| {
        let (at, _) = roles.next_offer(role)?;
        Some((at, TimerKind::Offer { role }))
    });
    ask.into_iter().chain(offers)
}

/// Whether the operator hands over, as their shift has ended.
pub(crate) fn asks(roles: &Roles) -> impl Iterator<Item = (Timestamp, Question)> {
    let shift = roles.shift_of_operator().into_iter();
    shift.map(|it| (it.at, Question::HandOver))
}

pub(crate) fn narrate(recorded: &Recorded) -> Option<String> {
    let by = &recorded.by;
    match &recorded.event {
        event @ Event::RespondersChosen { reason, source, .. } => {
            let chosen = event.chosen().into_iter();
            let chosen: Vec<String> = chosen.map(|(role, it)| asked(role, it)).collect();
            let why = source.because(reason);
            Some(match chosen.is_empty() {
                true => format!("nobody else is asked to take a role{why}"),
                false => format!("will ask {}{why}", chosen.join("; ")),
            })
        }
        Event::RoleUnfilled { role } => Some(match role {
            Role::Spokesperson => {
                "nobody is left to ask to be the spokesperson; the operator goes on speaking"
                    .to_owned()
            }
            role => format!("nobody is left to ask to be the {role}"),
        }),
        Event::RoleOffered { role, to } => Some(format!("{by} asks {to} to be the {role}")),
        Event::RoleAssigned { role, person } => Some(format!("{person} is the {role}")),
        Event::RoleDeclined { role, person, why } => Some(match why {
            Declined::Refused => format!("{person} declined to be the {role}"),
            Declined::Silent => format!("{person} has not answered whether to be the {role}"),
            Declined::Unreached => format!("{person} could not be asked to be the {role}"),
        }),
        Event::RoleLeft { role, person } => Some(format!("{person} is no longer the {role}")),
        Event::ShiftEnds(shift) => {
            let left = in_words(shift.at.since(recorded.at));
            let (person, next) = (&shift.person, &shift.next);
            Some(format!(
                "the shift of {person} ends in {left}; then {next} is on call"
            ))
        }
        Event::HelpWanted { text } => Some(format!("{by} asks engineers for help: {text}")),
        Event::ResponderJoined { person } => Some(format!("{person} helps")),
        _ => None,
    }
}

/// Who is asked to take a role, one after the other.
fn asked(role: Role, people: &[PersonId]) -> String {
    let people: Vec<&str> = people.iter().map(PersonId::as_str).collect();
    format!("{} to be the {role}", people.join(", then "))
}
