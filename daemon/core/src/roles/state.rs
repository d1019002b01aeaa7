//! The roles of people in an incident, folded from its events.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::event::{Effect, Event, Recorded};
use crate::roles::call::Call;
use crate::roles::role::{Role, ShiftEnd};
use crate::{PersonId, Timestamp};

/// The roles of people in an incident.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roles {
    /// Who leads the response and carries it out.
    pub operator: Option<PersonId>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub others: BTreeMap<Role, PersonId>,
    /// Who was asked to take a role and has not answered.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub offered: BTreeMap<Role, PersonId>,
    /// Since when each role is held, while the incident is active.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub since: BTreeMap<Role, Timestamp>,
    /// Who helps besides, in the order in which they joined, at most
    /// [`RESPONDERS_MAX`](crate::limits::RESPONDERS_MAX).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub responders: Vec<PersonId>,
    /// The end of the operator's shift.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shift: Option<ShiftEnd>,
    /// The search for people who take the others.
    #[serde(default, skip_serializing_if = "crate::defaults::is_default")]
    pub call: Call,
}

/// A time in which a person had a role of an active incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleTime {
    pub role: Role,
    pub person: PersonId,
    pub from: Timestamp,
    /// The end, exclusive.
    pub until: Timestamp,
}

impl Roles {
    #[must_use]
    pub fn of(&self, role: Role) -> Option<&PersonId> {
        match role {
            Role::Operator => self.operator.as_ref(),
            role => self.others.get(&role),
        }
    }

    /// Who speaks for the incident: its spokesperson, or the operator while there is none.
    #[must_use]
    pub fn speaker(&self) -> Option<&PersonId> {
        self.of(Role::Spokesperson).or(self.operator.as_ref())
    }

    /// Whoever may be asked for an update: who speaks, and the operator.
    #[must_use]
    pub fn answer_for_updates(&self) -> Vec<PersonId> {
        let people = [self.speaker(), self.operator.as_ref()];
        people.into_iter().flatten().cloned().collect()
    }

    pub fn held_by(&self, person: &PersonId) -> impl Iterator<Item = Role> {
        let has = move |role: &Role| self.of(*role) == Some(person);
        Role::ALL.into_iter().filter(has)
    }

    /// What people have done in their roles since they took them, up to `now`; nothing once the
    /// incident is over.
    pub fn underway(&self, now: Timestamp) -> impl Iterator<Item = RoleTime> {
        self.since.iter().filter_map(move |(role, from)| {
            let person = self.of(*role)?.clone();
            Some(RoleTime {
                role: *role,
                person,
                from: *from,
                until: now,
            })
        })
    }

    /// What people had done in the roles that they do not have any more afterwards, at `at`.
    pub fn ended(&self, after: &Self, at: Timestamp) -> impl Iterator<Item = RoleTime> {
        let goes_on = |it: &RoleTime| {
            let since = after.since.get(&it.role);
            since == Some(&it.from) && after.of(it.role) == Some(&it.person)
        };
        self.underway(at).filter(move |it| !goes_on(it))
    }

    /// Whom to ask next to take a role, and when; `None` while somebody has it or is being asked.
    #[must_use]
    pub fn next_offer(&self, role: Role) -> Option<(Timestamp, &PersonId)> {
        let is_free = self.of(role).is_none() && !self.offered.contains_key(&role);
        let next = self.call.next(role).filter(|_| is_free)?;
        Some((self.call.next_at, next))
    }

    /// Of an incident that is not minor any more nobody both operates and speaks.
    pub(crate) fn part_with_speaking(&mut self) {
        let role = Role::Spokesperson;
        if self.operator.is_some() && self.of(role) == self.operator.as_ref() {
            self.others.remove(&role);
            self.since.remove(&role);
        }
    }

    /// Has the policy asked who responds, if there is an operator and a role is free.
    pub(crate) fn ask_who_responds(&mut self, at: Timestamp) {
        let is_free = |role: &Role| self.of(*role).is_none();
        if self.operator.is_some() && Call::ROLES.iter().any(is_free) {
            self.call.ask_again(at);
        }
    }

    /// The end of the shift of whoever has it, if that was on call.
    pub(crate) fn shift_of_operator(&self) -> Option<&ShiftEnd> {
        let shift = self.shift.as_ref();
        shift.filter(|it| self.operator.as_ref() == Some(&it.person))
    }

    pub(crate) fn fold(&mut self, recorded: &Recorded) {
        self.fold_since(recorded);
        self.call.fold(recorded);
        match &recorded.event {
            Event::ShiftEnds(shift) => self.shift = Some(shift.clone()),
            Event::RoleOffered { role, to } => {
                self.offered.insert(*role, to.clone());
            }
            Event::RoleAssigned { role, person } => {
                self.offered.remove(role);
                match role {
                    Role::Operator => {
                        self.operator = Some(person.clone());
                        self.ask_who_responds(recorded.at);
                    }
                    role => drop(self.others.insert(*role, person.clone())),
                }
            }
            Event::ResponderJoined { person } => self.responders.push(person.clone()),
            Event::RoleDeclined { role, person, .. } if self.offered.get(role) == Some(person) => {
                self.offered.remove(role);
            }
            Event::RoleLeft { role, person } if self.of(*role) == Some(person) => match role {
                Role::Operator => self.operator = None,
                role => drop(self.others.remove(role)),
            },
            Event::Resolved { .. } | Event::Merged { .. } | Event::Closed {} => {
                self.offered.clear();
            }
            event if event.traits().effect == Effect::StartsAgain => self.operator = None,
            _ => {}
        }
    }

    /// Folds since when each role is held; `self` is still as it was before the event.
    fn fold_since(&mut self, recorded: &Recorded) {
        let at = recorded.at;
        match &recorded.event {
            Event::RoleAssigned { role, person } if self.of(*role) != Some(person) => {
                self.since.insert(*role, at);
            }
            Event::RoleLeft { role, person } if self.of(*role) == Some(person) => {
                self.since.remove(role);
            }
            Event::Resolved { .. } | Event::Merged { .. } | Event::Closed {} => self.since.clear(),
            // Whoever had a role besides the operator has it again.
            Event::Reopened { .. } => {
                self.since = self.others.keys().map(|role| (*role, at)).collect();
            }
            event if event.traits().effect == Effect::StartsAgain => {
                self.since.remove(&Role::Operator);
            }
            _ => {}
        }
    }
}
