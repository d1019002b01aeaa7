//! Who takes a role: whoever is asked for it and accepts. Until then, whoever has it keeps it.

use crate::event::Event;
use crate::incident::Incident;
use crate::lifecycle::must_be_active;
use crate::outcome::{Env, Named, Outcome};
use crate::paging::decide::reached;
use crate::prompts::{Question, ask};
use crate::refusal::Refusal;
use crate::roles::role::{Declined, Role, ShiftEnd};
use crate::time::span_in_words;
use crate::{Actor, Grade, Person, PersonId, limits};

/// Somebody passes a role to a person, who is asked to accept it; or takes it themself. Without a
/// role it is the one that they have.
pub(crate) fn hand_off(
    incident: &Incident,
    (role, to): (Option<Role>, &Named),
    via: &str,
    by: &Actor,
    env: Env<'_>,
) -> Result<Outcome, Refusal> {
    must_be_active(incident, "only the roles of an open incident change")?;
    let role = match role {
        Some(role) => role,
        None => own_role(incident, &to.id, by)?,
    };
    let person = reached(to)?;
    let (number, who) = (incident.number, &to.id);
    if incident.grading.security && !person.clearance {
        return Err(Refusal::Invalid(format!(
            "{who} has no clearance for security incidents; name somebody who has"
        )));
    }
    if incident.roles.of(role) == Some(who) {
        return Ok(Outcome::reply(format!(
            "{who} is the {role} of incident {number} already"
        )));
    }
    must_be_free(incident, role, who)?;
    if by.person() == Some(who) {
        return Ok(Outcome {
            events: taken(incident, role, who, via, env),
            reply: format!("you are the {role} of incident {number}"),
            ..Outcome::default()
        });
    }
    let events = offer(incident, role, person, env).ok_or_else(|| {
        Refusal::Invalid(format!(
            "nothing can ask `{who}`; give them a contact that takes questions, such as email"
        ))
    })?;
    let wait = span_in_words(limits::HANDOFF_WAIT_MS);
    let stays = match incident.roles.of(role) {
        Some(holder) => format!("until then it is {holder}"),
        None => "until then there is none".to_owned(),
    };
    Ok(Outcome {
        events,
        reply: format!("{who} is asked to be the {role}, and has {wait} to answer; {stays}"),
        ..Outcome::default()
    })
}

/// The shift of whoever operates it ends: they are asked whether they hand it over.
pub(crate) fn shift_ends(incident: &Incident, shift: ShiftEnd) -> Result<Outcome, Refusal> {
    must_be_active(incident, "nobody hands it over")?;
    let roles = &incident.roles;
    let is_theirs = roles.operator.as_ref() == Some(&shift.person) && shift.next != shift.person;
    let is_known = roles.shift.as_ref() == Some(&shift);
    match is_theirs && !is_known {
        true => Ok(Outcome::of(vec![Event::ShiftEnds(shift)])),
        false => Ok(Outcome::default()),
    }
}

/// The operator hands over, as their shift has ended. `to`: looked up now.
pub(crate) fn hand_over(
    incident: &Incident,
    to: Option<&Named>,
    via: &str,
    by: &Actor,
    env: Env<'_>,
) -> Result<Outcome, Refusal> {
    let next = incident.roles.shift_of_operator().map(|it| &it.next);
    let to = to.filter(|it| Some(&it.id) == next);
    let to = to.ok_or(Refusal::Stale("the end of the shift"))?;
    hand_off(incident, (Some(Role::Operator), to), via, by, env)
}

/// The person who was asked to take a role accepts it.
pub(crate) fn accept(
    incident: &Incident,
    role: Role,
    via: &str,
    by: &Actor,
    env: Env<'_>,
) -> Result<Outcome, Refusal> {
    let who = asked_person(incident, role, by)?;
    must_be_active(incident, "its roles do not change any more")?;
    must_be_free(incident, role, who)?;
    Ok(Outcome {
        events: taken(incident, role, who, via, env),
        reply: format!("you are the {role} of incident {}", incident.number),
        ..Outcome::default()
    })
}

/// The person who was asked to take a role refuses it.
pub(crate) fn refuse(incident: &Incident, role: Role, by: &Actor) -> Result<Outcome, Refusal> {
    asked_person(incident, role, by)?;
    Ok(decline(incident, role, Declined::Refused))
}

/// The person who was asked to take a role does not take it.
pub(crate) fn decline(incident: &Incident, role: Role, why: Declined) -> Outcome {
    let Some(person) = incident.roles.offered.get(&role) else {
        return Outcome::default();
    };
    Outcome {
        events: declined(incident, role, person, why),
        reply: format!("somebody else will be the {role}"),
        ..Outcome::default()
    }
}

/// The events of a person not taking a role.
pub(super) fn declined(
    incident: &Incident,
    role: Role,
    person: &PersonId,
    why: Declined,
) -> Vec<Event> {
    let is_last = incident.roles.call.ends_with(role, person);
    let unfilled = is_last.then_some(Event::RoleUnfilled { role });
    let person = person.clone();
    let declined = Event::RoleDeclined { role, person, why };
    [declined].into_iter().chain(unfilled).collect()
}

/// The events of asking a person to take a role; `None` if nothing asks through any contact of
/// theirs.
pub(super) fn offer(
    incident: &Incident,
    role: Role,
    person: &Person,
    env: Env<'_>,
) -> Option<Vec<Event>> {
    let until = env.now.plus_ms(limits::HANDOFF_WAIT_MS);
    let asked = ask(incident, person, Question::Accept(role), until, env)?;
    let to = person.id.clone();
    Some(vec![Event::RoleOffered { role, to }, asked])
}

/// The person who was asked to take a role, if it is they who answer.
fn asked_person<'a>(
    incident: &'a Incident,
    role: Role,
    by: &Actor,
) -> Result<&'a PersonId, Refusal> {
    let asked = incident.roles.offered.get(&role);
    let asked = asked.ok_or(Refusal::Stale("the offer of the role"))?;
    match by.person() == Some(asked) {
        true => Ok(asked),
        false => Err(Refusal::Invalid(format!(
            "only {asked} can answer this; to take the role yourself, write \
             `handoff {role} YOUR-ID`"
        ))),
    }
}

/// The events of a person taking a role. A new operator has the incident, as if they had
/// acknowledged it.
fn taken(
    incident: &Incident,
    role: Role,
    person: &PersonId,
    via: &str,
    env: Env<'_>,
) -> Vec<Event> {
    let mut events = Vec::new();
    if role == Role::Operator {
        events.push(Event::Acknowledged {
            via: via.to_owned(),
            hold_until: Some(env.now.plus_ms(incident.hold_ms())),
            approach_at: env.approach_at(),
        });
        events.extend(stops_speaking(incident, person));
    }
    let person = person.clone();
    events.push(Event::RoleAssigned { role, person });
    events
}

/// The event of a new operator giving up to speak, as two people do what one did.
pub(crate) fn stops_speaking(incident: &Incident, operator: &PersonId) -> Option<Event> {
    let role = Role::Spokesperson;
    let has_both = incident.roles.of(role) == Some(operator) && !may_have_both(incident);
    has_both.then(|| Event::RoleLeft {
        role,
        person: operator.clone(),
    })
}

/// The only role that whoever hands it off has.
fn own_role(incident: &Incident, to: &PersonId, by: &Actor) -> Result<Role, Refusal> {
    let held = by.person().map(|it| incident.roles.held_by(it));
    let held: Vec<Role> = held.into_iter().flatten().collect();
    match held.as_slice() {
        [role] => Ok(*role),
        [] => Err(Refusal::Invalid(format!(
            "you have no role here; name one: `handoff operator {to}`"
        ))),
        [role, ..] => Err(Refusal::Invalid(format!(
            "you have more than one role here; name one: `handoff {role} {to}`"
        ))),
    }
}

/// Refuses that one person both operates and speaks, unless the incident is minor.
fn must_be_free(incident: &Incident, role: Role, person: &PersonId) -> Result<(), Refusal> {
    let is_operator = incident.roles.operator.as_ref() == Some(person);
    if role != Role::Spokesperson || !is_operator || may_have_both(incident) {
        return Ok(());
    }
    let grade = incident.grading.grade;
    Err(Refusal::Invalid(format!(
        "{person} is the operator, and of a {grade} incident somebody else speaks; first hand that \
         role off, as in `handoff operator PERSON`"
    )))
}

pub(super) fn may_have_both(incident: &Incident) -> bool {
    incident.grading.grade == Grade::Minor
}
