//! People, and how to reach them.

use serde::{Deserialize, Serialize};

use crate::{PersonId, TeamId};

/// Somebody who can be paged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Their handle in the configuration.
    pub id: PersonId,
    /// What people call them.
    pub name: String,
    /// How to reach them, in the order in which to try.
    pub contacts: Vec<Contact>,
    /// The teams that they are in.
    #[serde(default)]
    pub teams: Vec<TeamId>,
    /// Whether they may see security incidents.
    #[serde(default)]
    pub clearance: bool,
}

/// One way to reach a person.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Contact {
    /// What carries it: a plugin's contact kind such as `slack`, or `email`.
    pub kind: String,
    /// The address there: a Slack user, a mail address.
    pub address: String,
}
