//! Who may do what with an incident, asked in one place whichever way the action came in.

use std::collections::BTreeMap;

use tocsin_core::{Actor, Incident, Person, PersonId};

use super::Action;
use crate::auth::{Scope, TokenRow};
use crate::disclosure::Clearance;

/// Who asks: in whose name, and what they may do and know.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) by: Actor,
    pub(crate) scope: Scope,
    /// Whether they may know of incidents under the security flag.
    pub(crate) clearance: Clearance,
}

/// Why somebody may not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Denied {
    #[error("the token has scope {has} and this needs {needs}")]
    Scope { has: Scope, needs: Scope },
    #[error("only somebody with clearance may remove the security flag")]
    Clearance,
    #[error("{0} is no longer in the configuration")]
    Left(PersonId),
}

impl Caller {
    /// Whoever holds a token. An admin may know everything; others what their person may.
    ///
    /// # Errors
    /// [`Denied::Left`] when the person whom it acts for is gone.
    pub(crate) fn of_token(
        row: &TokenRow,
        people: &BTreeMap<PersonId, Person>,
    ) -> Result<Self, Denied> {
        let mut caller = match &row.person {
            Some(id) => Self::of_person(id.clone(), people)?,
            None => Self {
                by: Actor::Token(row.name.clone()),
                scope: row.scope,
                clearance: Clearance::Basic,
            },
        };
        caller.scope = row.scope;
        if row.scope == Scope::Admin {
            caller.clearance = Clearance::Security;
        }
        Ok(caller)
    }

    /// A person whom a signed link or a chat has identified.
    ///
    /// # Errors
    /// [`Denied::Left`] when the configuration does not know them.
    pub(crate) fn of_person(
        id: PersonId,
        people: &BTreeMap<PersonId, Person>,
    ) -> Result<Self, Denied> {
        let Some(person) = people.get(&id) else {
            return Err(Denied::Left(id));
        };
        let clearance = Clearance::of_person(Some(person));
        Ok(Self {
            by: Actor::Person(id),
            scope: Scope::Respond,
            clearance,
        })
    }

    /// Whether the scope allows what `needs` does.
    ///
    /// # Errors
    /// [`Denied::Scope`] when it does not.
    pub(crate) fn need(&self, needs: Scope) -> Result<(), Denied> {
        let has = self.scope;
        match has.allows(needs) {
            true => Ok(()),
            false => Err(Denied::Scope { has, needs }),
        }
    }
}

/// Whether `caller` may do this to this incident.
///
/// # Errors
/// Why not.
pub(crate) fn authorize(
    caller: &Caller,
    incident: &Incident,
    action: &Action,
) -> Result<(), Denied> {
    caller.need(Scope::Respond)?;
    if action.needs_clearance(incident) && !caller.clearance.may_see(true) {
        return Err(Denied::Clearance);
    }
    Ok(())
}
