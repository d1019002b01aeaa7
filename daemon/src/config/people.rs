//! `[people.ID]` and `[teams.ID]`: who there is, and how to reach them.

use serde::{Deserialize, Serialize};
use tocsin_core::{Contact, Person, PersonId, TeamId};

use super::text::Zone;

/// Most contacts of one person.
pub const CONTACTS_MAX: usize = 8;

/// One `[people.ID]` section. The ID is the person's handle everywhere else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PersonConfig {
    /// What people call them.
    pub name: String,
    /// How to reach them, in the order in which to try; at most 8.
    #[serde(default)]
    pub contacts: Vec<ContactConfig>,
    /// The teams that they are in, each with a `[teams.ID]` section.
    #[serde(default)]
    pub teams: Vec<TeamId>,
    /// Whether they may see security incidents. Default false.
    #[serde(default)]
    pub clearance: bool,
    /// The time zone in which times are shown to them. Default UTC.
    #[serde(default)]
    pub timezone: Zone,
}

/// One way to reach a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ContactConfig {
    /// A kind that a plugin serves, such as `slack`, or `email`.
    pub kind: String,
    /// The address there, such as a Slack user's ID or a mail address.
    pub address: String,
}

/// One `[teams.ID]` section.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct TeamConfig {
    /// What people call it.
    pub name: String,
    /// The rotation that answers for it: `oncall:ID` means this one when no rotation is named
    /// as the team.
    #[serde(default)]
    pub rotation: Option<String>,
}

impl PersonConfig {
    /// The person as the engine knows them.
    #[must_use]
    pub fn person(&self, id: &PersonId) -> Person {
        let contact = |contact: &ContactConfig| Contact {
            kind: contact.kind.clone(),
            address: contact.address.clone(),
        };
        Person {
            id: id.clone(),
            name: self.name.clone(),
            contacts: self.contacts.iter().map(contact).collect(),
            teams: self.teams.clone(),
            clearance: self.clearance,
        }
    }
}
