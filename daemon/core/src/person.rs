//! People, and how to reach them.

use serde::{Deserialize, Serialize};

use crate::paging::Ladders;
use crate::{PersonId, TeamId};

/// Somebody who can be paged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Their id in the configuration.
    pub id: PersonId,
    /// For display.
    pub name: String,
    /// In the order in which to try them.
    pub contacts: Vec<Contact>,
    /// In which rungs they are tried.
    #[serde(default)]
    pub ladders: Ladders,
    #[serde(default)]
    pub teams: Vec<TeamId>,
    /// Whether they may see security incidents.
    #[serde(default)]
    pub clearance: bool,
}

/// One way to reach a person.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Contact {
    /// A plugin's contact kind such as `slack`, or `email`.
    pub kind: String,
    /// A Slack user, a mail address.
    pub address: String,
}
