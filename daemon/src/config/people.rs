//! `[people.ID]` and `[teams.ID]`: people, how to reach them, and their teams.

use serde::{Deserialize, Serialize};
use tocsin_core::{Contact, Person, PersonId, TeamId};

use super::calendar::CalendarConfig;
use super::notify::NotifyConfig;
use super::text::Zone;

/// Most contacts of one person.
pub const CONTACTS_MAX: usize = 8;

/// Highest level of a person.
pub(super) const LEVEL_MAX: u32 = 9;

/// One `[people.ID]` section. The ID names the person everywhere else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PersonConfig {
    /// The person's name.
    pub name: String,
    /// How to reach the person, in the order to try; at most 8.
    #[serde(default)]
    pub contacts: Vec<ContactConfig>,
    /// The person's teams, each with a `[teams.ID]` section.
    #[serde(default)]
    pub teams: Vec<TeamId>,
    /// Whether they may see security incidents. Default false.
    #[serde(default)]
    pub clearance: bool,
    /// How experienced the person is at incidents, from 0 to 9. The policy that chooses who
    /// responds sees it. Default 0.
    #[serde(default)]
    pub level: u32,
    /// The time zone of times shown to the person; it also says when it is night for them, from
    /// 22:00 to 07:00. Default UTC.
    #[serde(default)]
    pub timezone: Zone,
    /// By which contacts the person is paged, by grade. Default: as `[escalation] notify` says.
    #[serde(default)]
    pub notify: NotifyConfig,
    /// The person's own calendar, which says when they are out of office.
    #[serde(default)]
    pub calendar: Option<CalendarConfig>,
}

/// One way to reach a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ContactConfig {
    /// `email`, or a kind that a plugin serves, such as `slack`.
    pub kind: String,
    /// The address there, such as a Slack user's ID or a mail address.
    pub address: String,
}

/// One `[teams.ID]` section.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct TeamConfig {
    /// The team's name.
    pub name: String,
    /// The team's rotation, which `oncall:TEAM` pages.
    #[serde(default)]
    pub rotation: Option<String>,
}

impl PersonConfig {
    /// The core's type of the person. `everybody`: the ladders of people without their own.
    #[must_use]
    pub fn person(&self, id: &PersonId, everybody: &NotifyConfig) -> Person {
        let contact = |contact: &ContactConfig| Contact {
            kind: contact.kind.clone(),
            address: contact.address.clone(),
        };
        Person {
            id: id.clone(),
            name: self.name.clone(),
            contacts: self.contacts.iter().map(contact).collect(),
            ladders: self.notify.ladders(everybody),
            teams: self.teams.clone(),
            clearance: self.clearance,
        }
    }
}
