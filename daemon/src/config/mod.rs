//! The configuration: one TOML file, checked completely before the daemon starts.
//!
//! A configuration error that shows only at 3 a.m. means that nobody is paged, so everything that
//! can be checked in advance is, by the daemon at its start and by `tocsin check`. All faults are
//! reported at once, as `file:line:column: what is wrong; what to do`. The file names where
//! secrets are stored; secrets are never in the file, in the log or in a response.

mod calendar;
mod check;
mod escalation;
mod expect;
mod fault;
mod heartbeat;
mod incidents;
mod integration;
mod load;
mod mail;
mod mapping;
mod notify;
mod people;
mod plugin;
mod policy;
mod read;
mod rotation;
mod secret;
mod server;
mod shipped;
mod source;
mod store;
mod text;

use std::collections::BTreeMap;

use tocsin_core::{IntegrationId, PersonId, PluginId, TeamId};
use tocsin_policy::Names;

pub use calendar::{CALENDAR_WORDS_MAX, CalendarConfig, CalendarUrl};
pub use check::AddressForm;
pub use escalation::EscalationConfig;
pub use expect::{EXPECTED_MAX, ExpectConfig, Expected};
pub use fault::{FAULTS_MAX, Fault, Faults, Severity};
pub use heartbeat::HeartbeatConfig;
pub use incidents::IncidentsConfig;
pub use integration::{IntegrationConfig, IntegrationKind, MAPPED_LABELS_MAX, STATUS_WORDS_MAX};
pub use load::{CONFIG_BYTES_MAX, ConfigError, Loaded, load, parse};
pub use mail::{MailConfig, MailTls};
pub use mapping::{FINGERPRINT_DEFAULT, LabelsFrom, Mapping, Pointer, PointerError};
pub use notify::{LadderConfig, NotifyConfig};
pub use people::{CONTACTS_MAX, ContactConfig, PersonConfig, TeamConfig};
pub use plugin::PluginTable;
pub use policy::PolicyConfig;
pub use rotation::{
    Day, LAYER_PEOPLE_MAX, LAYERS_MAX, LayerConfig, OVERRIDES_MAX, OverrideConfig, RestrictConfig,
    RotationConfig,
};
pub use secret::{SECRET_BYTES_MAX, SecretError, SecretRef};
pub use server::{BODY_BYTES_CEILING, BODY_BYTES_FLOOR, GRACE_S_MAX, ServerConfig};
pub use shipped::{SHIPPED_POLICIES, STARTER};
pub use source::Place;
pub use store::StoreConfig;
pub use text::{Date, Moment, SPAN_MS_MAX, Span, Unreadable, Zone};

use crate::people::Roster;

/// The whole configuration.
#[derive(Clone, Debug, Default)]
pub struct Config {
    pub server: ServerConfig,
    pub store: StoreConfig,
    pub policy: PolicyConfig,
    pub incidents: IncidentsConfig,
    pub escalation: EscalationConfig,
    /// `[mail]`, if there is a relay.
    pub mail: Option<MailConfig>,
    /// `[relays.NAME]`: further relays, for mails that plugins send under that name.
    pub relays: BTreeMap<String, MailConfig>,
    /// `[heartbeat]`, if heartbeats are sent.
    pub heartbeat: Option<HeartbeatConfig>,
    pub people: BTreeMap<PersonId, PersonConfig>,
    pub teams: BTreeMap<TeamId, TeamConfig>,
    pub rotations: BTreeMap<String, RotationConfig>,
    pub integrations: BTreeMap<IntegrationId, IntegrationConfig>,
    pub plugins: BTreeMap<PluginId, PluginTable>,
}

impl Config {
    /// The names that policies may use.
    #[must_use]
    pub fn names(&self) -> Names {
        Names {
            people: self.people.keys().map(ToString::to_string).collect(),
            teams: self.teams.keys().map(ToString::to_string).collect(),
            rotations: self.rotations.keys().cloned().collect(),
        }
    }

    /// The people, teams and rotations, for on-call lookups.
    #[must_use]
    pub fn roster(&self) -> Roster {
        let people = self
            .people
            .iter()
            .map(|(id, person)| (id.clone(), person.person(id, &self.escalation.notify)));
        let zones = self.people.iter();
        let zones = zones.map(|(id, person)| (id.clone(), person.timezone.0));
        let levels = self.people.iter();
        let levels = levels.map(|(id, person)| (id.clone(), person.level));
        let teams = self
            .teams
            .iter()
            .map(|(id, team)| (id.clone(), team.rotation.clone()));
        let rotations = self
            .rotations
            .iter()
            .map(|(id, rotation)| (id.clone(), rotation.rotation()));
        Roster {
            people: people.collect(),
            zones: zones.collect(),
            levels: levels.collect(),
            teams: teams.collect(),
            rotations: rotations.collect(),
            fallback: self.escalation.fallback.clone(),
            loud: self.escalation.loud.iter().cloned().collect(),
            absences: BTreeMap::new(),
        }
    }
}

#[cfg(test)]
mod tests;
