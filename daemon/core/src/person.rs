//! People, and how to reach them.

use serde::{Deserialize, Serialize};

use crate::grading::Grade;
use crate::paging::{LadderRung, Ladders, Rung};
use crate::{PersonId, TeamId, limits};

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

impl Person {
    /// The contacts of a page about an incident of this grade, and the rungs that they form. A rung
    /// of which they have no contact is left out. If nothing delivers to any contact of the ladder,
    /// every contact is tried in order: an unusual way is better than none. `serves`: whether
    /// something delivers to a kind.
    #[must_use]
    pub fn climb(&self, grade: Grade, serves: impl Fn(&str) -> bool) -> (Vec<Contact>, Vec<Rung>) {
        let of_rung = |rung: &LadderRung| {
            let named = |it: &&Contact| rung.kinds.contains(&it.kind);
            let named: Vec<_> = self.contacts.iter().filter(named).cloned().collect();
            (named, rung.wait_ms)
        };
        let alone = |contact: &Contact| (vec![contact.clone()], limits::RUNG_WAIT_MS);
        let ladder = self.ladders.of(grade);
        let rungs = ladder.map(|it| it.0.iter().map(of_rung).collect::<Vec<_>>());
        let leads_somewhere = |rungs: &Vec<(Vec<Contact>, u64)>| {
            let mut all = rungs.iter().flat_map(|it| &it.0);
            all.any(|it| serves(&it.kind))
        };
        let rungs = rungs.filter(leads_somewhere);
        let rungs = rungs.unwrap_or_else(|| self.contacts.iter().map(alone).collect());
        let mut all = Vec::new();
        let mut sizes = Vec::new();
        for (mut contacts, wait_ms) in rungs {
            contacts.truncate(limits::PAGE_CONTACTS_MAX - all.len());
            if let Some(contacts) = u32::try_from(contacts.len()).ok().filter(|it| *it > 0) {
                sizes.push(Rung { contacts, wait_ms });
            }
            all.append(&mut contacts);
        }
        (all, sizes)
    }
}

/// One way to reach a person.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Contact {
    /// A plugin's contact kind such as `slack`, or `email`.
    pub kind: String,
    /// A Slack user, a mail address.
    pub address: String,
}
