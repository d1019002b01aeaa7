//! The catalog of loaded plugins, shown by `tocsin plugin list` and `inspect`.

use super::warnings::warnings;
use crate::call::{CodeOrigin, Generation, LoadedPlugin, TrapReport};
use crate::rights::{Limits, RightState};
use serde::{Deserialize, Serialize};

/// One loaded plugin.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct CatalogEntry {
    pub id: String,
    pub name: String,
    pub version: String,
    pub state: PluginState,
    /// BLAKE3 of plugin.wasm, in hexadecimal.
    pub digest: String,
    /// Whether this load had to compile.
    pub code: CodeOrigin,
    /// Contact kinds that it can page.
    pub contacts: Vec<String>,
    /// All requested rights, and whether they are granted.
    pub rights: Vec<RightState>,
    /// Problems with the grant.
    pub warnings: Vec<String>,
    pub limits: Limits,
    /// Names of its secrets that are configured.
    pub secrets: Vec<String>,
    /// Its schedules: name, cron expression, time zone.
    pub schedules: Vec<ScheduleEntry>,
    /// Paths of its webhooks.
    pub webhooks: Vec<String>,
    /// Whether it receives security incidents unredacted.
    pub clearance: bool,
    /// The last time that it trapped or was stopped.
    pub last_fault: Option<TrapReport>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum PluginState {
    /// It can be called.
    Active,
    /// It is temporarily not called after too many faults.
    Quarantined {
        /// The next attempt, in milliseconds since the Unix epoch.
        until_ms: u64,
    },
    /// It is called, but its last call returned that its configuration must be corrected.
    Misconfigured {
        /// According to the plugin.
        reason: String,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduleEntry {
    pub name: String,
    /// As in the manifest.
    pub cron: String,
    /// An IANA name.
    pub timezone: String,
}

impl LoadedPlugin {
    /// Everything that `tocsin plugin inspect` shows.
    pub fn inspect(&self) -> CatalogEntry {
        CatalogEntry::of(&self.generation())
    }
}

impl CatalogEntry {
    pub(crate) fn of(generation: &Generation) -> Self {
        let rights = &generation.shared.rights;
        let manifest = rights.manifest();
        let closed_until_ms = generation.quarantine.lock().closed_until_ms();
        let state = match (closed_until_ms, generation.misconfigured.lock().clone()) {
            (Some(until_ms), _) => PluginState::Quarantined { until_ms },
            (None, Some(reason)) => PluginState::Misconfigured { reason },
            (None, None) => PluginState::Active,
        };
        let schedules = manifest.schedules.iter().map(|ask| ScheduleEntry {
            name: ask.name.clone(),
            cron: ask.schedule.expression().to_owned(),
            timezone: ask.schedule.timezone().to_owned(),
        });
        let route = |route: &str| format!("/hooks/{}/{route}", manifest.id);
        Self {
            id: manifest.id.clone(),
            name: manifest.name.clone(),
            version: manifest.version.clone(),
            state,
            digest: generation.code.digest.to_hex().to_string(),
            code: generation.code.origin,
            contacts: manifest.contacts.clone(),
            rights: rights.report(),
            warnings: warnings(&generation.shared),
            limits: rights.limits(),
            secrets: manifest
                .secrets
                .iter()
                .map(|secret| secret.name.clone())
                .filter(|name| generation.shared.secrets.contains_key(name))
                .collect(),
            schedules: schedules.collect(),
            webhooks: manifest
                .webhooks
                .iter()
                .map(|ask| route(&ask.route))
                .collect(),
            clearance: generation.clearance,
            last_fault: generation.last_fault.lock().clone(),
        }
    }
}
