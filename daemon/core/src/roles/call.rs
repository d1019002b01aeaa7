//! Whom the communication policy has asked to take the roles besides the operator.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::event::{Effect, Event, Recorded};
use crate::roles::role::{Declined, Role};
use crate::{PersonId, Timestamp, limits};

/// The search for people who take the roles besides the operator.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// When the policy is asked who responds; `None` if it was, or need not be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ask_at: Option<Timestamp>,
    /// The roles that somebody is wanted for, each with who is asked next, in this order; empty
    /// once the last of them was asked.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub wanted: BTreeMap<Role, Vec<PersonId>>,
    /// When the next of them are asked.
    #[serde(default)]
    pub next_at: Timestamp,
    /// Who refused a role that they were chosen for; they are not asked again. At most
    /// [`REFUSED_MAX`](limits::REFUSED_MAX).
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub refused: BTreeSet<PersonId>,
}

impl Call {
    /// The roles that the policy chooses people for.
    pub(super) const ROLES: [Role; 3] = [Role::Commander, Role::Spokesperson, Role::Shadow];

    /// Who is asked next to take a role.
    #[must_use]
    pub fn next(&self, role: Role) -> Option<&PersonId> {
        self.wanted.get(&role)?.first()
    }

    /// Whether nobody is left to ask once this person has declined a role.
    pub(super) fn ends_with(&self, role: Role, person: &PersonId) -> bool {
        let wanted = self.wanted.get(&role);
        wanted.is_some_and(|it| it.iter().all(|left| left == person))
    }

    /// Has the policy asked; until it answers, nobody is asked whom it named before.
    pub(super) fn ask_again(&mut self, at: Timestamp) {
        self.ask_at = Some(at);
        self.wanted.clear();
    }

    pub(super) fn fold(&mut self, recorded: &Recorded) {
        let at = recorded.at;
        match &recorded.event {
            event @ Event::RespondersChosen { .. } => {
                let chosen = event.chosen().into_iter();
                self.wanted = chosen.map(|(role, it)| (role, it.to_vec())).collect();
                self.ask_at = None;
                self.next_at = at;
            }
            Event::RoleOffered { role, to } => self.was_asked(*role, to),
            Event::RoleDeclined { role, person, why } => {
                self.was_asked(*role, person);
                self.next_at = at;
                let is_chosen = self.wanted.contains_key(role);
                let is_refusal = *why == Declined::Refused && is_chosen;
                if is_refusal && self.refused.len() < limits::REFUSED_MAX {
                    self.refused.insert(person.clone());
                }
            }
            Event::RoleUnfilled { role } | Event::RoleAssigned { role, .. } => {
                self.wanted.remove(role);
            }
            Event::Resolved { .. } | Event::Merged { .. } | Event::Closed {} => {
                *self = Self::default();
            }
            // Whoever is the operator next has others.
            event if event.traits().effect == Effect::StartsAgain => {
                self.ask_at = None;
                self.wanted.clear();
            }
            _ => {}
        }
    }

    fn was_asked(&mut self, role: Role, person: &PersonId) {
        let wanted = self.wanted.get_mut(&role);
        wanted
            .into_iter()
            .for_each(|it| it.retain(|left| left != person));
    }
}

impl Event {
    /// Whom the communication policy has asked to take which role, without roles for nobody; empty
    /// for other events.
    #[must_use]
    pub fn chosen(&self) -> Vec<(Role, &[PersonId])> {
        let Self::RespondersChosen {
            commander,
            spokesperson,
            shadow,
            ..
        } = self
        else {
            return Vec::new();
        };
        let lists = [commander, spokesperson, shadow].map(Vec::as_slice);
        let chosen = Call::ROLES.into_iter().zip(lists);
        chosen.filter(|(_, people)| !people.is_empty()).collect()
    }
}
