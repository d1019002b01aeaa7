//! Who may do what with an incident: one check for HTTP, chat, the command line and plugins.

use std::collections::BTreeMap;

use tocsin_core::command::Refusal;
use tocsin_core::{Actor, Person, PersonId};

use crate::auth::{Scope, TokenRow};
use crate::disclosure::Clearance;

/// Who acts, and what they may do and see.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) by: Actor,
    pub(crate) scope: Scope,
    /// Whether they may see security incidents.
    pub(crate) clearance: Clearance,
}

/// Why an action is not allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Denied {
    #[error("this needs scope {needs}, and the token has scope {has}")]
    Scope { has: Scope, needs: Scope },
    /// The core's refusal, which depends on the incident as it was when the command was decided.
    #[error("{}", Refusal::Classified)]
    Clearance,
    #[error("{0} is no longer in the configuration")]
    Left(PersonId),
}

impl Caller {
    /// The holder of a token. An admin may see everything; others what the token's person may.
    ///
    /// # Errors
    /// [`Denied::Left`] when the token's person is no longer in the configuration.
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

    /// A person identified by a signed link or a chat.
    ///
    /// # Errors
    /// [`Denied::Left`] when they are not in the configuration.
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

    /// Checks that the scope includes `needs`.
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

/// Checks that `caller` may act on incidents. What else an action needs depends on the incident,
/// so the command says what the caller may do, and the core decides.
///
/// # Errors
/// Why not.
pub(crate) fn authorize(caller: &Caller) -> Result<(), Denied> {
    caller.need(Scope::Respond)
}
