//! The roles of people in an incident.

use serde::{Deserialize, Serialize};

use crate::PersonId;
use crate::event::{Effect, Event, Recorded};

/// The roles of people in an incident.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roles {
    /// Who leads the response and carries it out.
    pub operator: Option<PersonId>,
}

impl Roles {
    pub(crate) fn fold(&mut self, event: &Event) {
        match event {
            Event::OperatorAssigned { person } => self.operator = Some(person.clone()),
            event if event.traits().effect == Effect::StartsAgain => self.operator = None,
            _ => {}
        }
    }
}

pub(crate) fn narrate(recorded: &Recorded) -> Option<String> {
    match &recorded.event {
        Event::OperatorAssigned { person } => Some(format!("{person} is the operator")),
        _ => None,
    }
}
