//! Who helps with an incident besides those who have a role: whoever joins it, on their own or
//! because somebody asked for help.

use crate::event::Event;
use crate::incident::Incident;
use crate::lifecycle::must_be_active;
use crate::outcome::Outcome;
use crate::refusal::Refusal;
use crate::text::bounded;
use crate::{Actor, limits};

/// Engineers are asked for help, but not with a security incident: the text would tell everybody.
pub(crate) fn want_help(incident: &Incident, text: String) -> Result<Outcome, Refusal> {
    must_be_active(incident, "only an open incident needs help")?;
    let number = incident.number;
    if incident.grading.security {
        return Err(Refusal::Invalid(format!(
            "incident {number} is a security incident, so engineers are not asked in public; page \
             whom you need, as in `page bob`"
        )));
    }
    let text = bounded("request", text, limits::HELP_BYTES_MAX)?;
    Ok(Outcome {
        events: vec![Event::HelpWanted { text }],
        reply: format!("engineers are asked to help with incident {number}"),
        ..Outcome::default()
    })
}

/// A person helps with the incident.
pub(crate) fn join(incident: &Incident, may_see: bool, by: &Actor) -> Result<Outcome, Refusal> {
    must_be_active(incident, "only an open incident needs help")?;
    let number = incident.number;
    let Some(person) = by.person() else {
        let remedy = "only a person joins an incident; use a token of a person";
        return Err(Refusal::Invalid(remedy.to_owned()));
    };
    if incident.grading.security && !may_see {
        return Err(Refusal::Invalid(format!(
            "incident {number} is a security incident, which only people with clearance join; \
             `status` outside of a war room lists what else is open"
        )));
    }
    if let Some(role) = incident.roles.held_by(person).next() {
        let reply = format!("you are the {role} of incident {number} already");
        return Ok(Outcome::reply(reply));
    }
    let responders = &incident.roles.responders;
    if responders.contains(person) {
        let reply = format!("you help with incident {number} already");
        return Ok(Outcome::reply(reply));
    }
    if responders.len() >= limits::RESPONDERS_MAX {
        let most = limits::RESPONDERS_MAX;
        return Err(Refusal::Invalid(format!(
            "{most} people help with incident {number} already; ask its operator how you can help"
        )));
    }
    let person = person.clone();
    Ok(Outcome {
        events: vec![Event::ResponderJoined { person }],
        reply: format!("you help with incident {number} now"),
        ..Outcome::default()
    })
}
