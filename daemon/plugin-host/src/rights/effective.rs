//! The effective rights: manifest ∩ grant ∩ global policy. A plugin never grants itself anything.

use super::denied::{Denied, DeniedBy, toml_list};
use super::grants::{GlobalPolicy, Grants, PluginGrant, RightKind};
use super::limits::Limits;
use super::manifest::{Manifest, Verb, WebhookAsk};
use super::network::Network;
use super::schedule::Schedule;
use crate::event_kind::EventKind;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The order in which `tocsin plugin inspect` lists rights.
const REPORTED: [RightKind; 6] = [
    RightKind::Events,
    RightKind::Http,
    RightKind::Webhook,
    RightKind::Schedule,
    RightKind::Commands,
    RightKind::Mail,
];

/// One right that the manifest asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RightState {
    pub kind: RightKind,
    /// Its name in the manifest.
    pub name: String,
    /// None when the plugin has it.
    pub denied: Option<Denied>,
}

/// The rights of one generation of a plugin.
#[derive(Debug)]
pub(crate) struct Rights {
    plugin: String,
    manifest: Arc<Manifest>,
    grants: Grants,
    global: GlobalPolicy,
    networks: BTreeSet<Network>,
    limits: Limits,
}

impl Rights {
    pub(crate) fn new(
        plugin: &str,
        manifest: Arc<Manifest>,
        grant: &PluginGrant,
        global: GlobalPolicy,
    ) -> Self {
        let networks = &grant.allow_networks - &global.deny_networks;
        Self {
            plugin: plugin.to_owned(),
            limits: Limits::effective(manifest.limits, grant.limits),
            manifest,
            grants: grant.grant.clone(),
            global,
            networks,
        }
    }

    /// The plugin's id.
    pub(crate) fn plugin(&self) -> &str {
        &self.plugin
    }

    pub(crate) fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    pub(crate) fn limits(&self) -> Limits {
        self.limits
    }

    /// Internal networks of the operator that it may reach.
    pub(crate) fn networks(&self) -> &BTreeSet<Network> {
        &self.networks
    }

    /// Checks that it may receive events of this kind.
    ///
    /// # Errors
    /// The denial with its remedy, as for every right below.
    pub(crate) fn event(&self, kind: EventKind) -> Result<(), Denied> {
        self.check(RightKind::Events, kind.as_str())
    }

    /// Checks that this route may be called, and returns its parameters.
    pub(crate) fn webhook(&self, route: &str) -> Result<&WebhookAsk, Denied> {
        self.check(RightKind::Webhook, route)?;
        let ask = self.manifest.webhooks.iter().find(|ask| ask.route == route);
        ask.ok_or_else(|| self.unasked(RightKind::Webhook, route))
    }

    /// Checks that this schedule may run, and returns its times.
    pub(crate) fn schedule(&self, name: &str) -> Result<&Schedule, Denied> {
        self.check(RightKind::Schedule, name)?;
        let ask = self.manifest.schedules.iter().find(|ask| ask.name == name);
        ask.map(|ask| &ask.schedule)
            .ok_or_else(|| self.unasked(RightKind::Schedule, name))
    }

    /// Checks that it may use this verb of the incident engine.
    pub(crate) fn verb(&self, verb: Verb) -> Result<(), Denied> {
        self.check(RightKind::Commands, verb.as_str())
    }

    /// Checks that it may send mail through this relay.
    pub(crate) fn relay(&self, relay: &str) -> Result<(), Denied> {
        self.check(RightKind::Mail, relay)
    }

    /// Checks that it may send requests under this right of its manifest.
    pub(crate) fn http(&self, name: &str) -> Result<(), Denied> {
        self.check(RightKind::Http, name)
    }

    /// The schedules that are requested and granted.
    pub(crate) fn schedules(&self) -> impl Iterator<Item = (&str, &Schedule)> {
        self.manifest
            .schedules
            .iter()
            .filter(|ask| self.schedule(&ask.name).is_ok())
            .map(|ask| (ask.name.as_str(), &ask.schedule))
    }

    /// All rights that the manifest asks for, and whether they are granted.
    pub(crate) fn report(&self) -> Vec<RightState> {
        let state = |kind: RightKind, name: &str| RightState {
            kind,
            name: name.to_owned(),
            denied: self.check(kind, name).err(),
        };
        let of_kind = |kind: RightKind| {
            let names = self.asked(kind);
            names.into_iter().map(move |name| state(kind, name))
        };
        REPORTED.into_iter().flat_map(of_kind).collect()
    }

    /// Problems with the grant: names that the manifest does not ask for (usually misspellings),
    /// and limits that it asks for and does not get.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let mut warnings = self.unused_grants();
        let (asked, has) = (self.manifest.limits, self.limits);
        let limits = [
            ("memory-bytes", asked.memory_bytes, has.memory_bytes),
            ("cpu-ms", asked.cpu_ms, has.cpu_ms),
            ("wall-ms", asked.wall_ms, has.wall_ms),
            (
                "http-per-min",
                asked.http_per_min.map(u64::from),
                u64::from(has.http_per_min),
            ),
        ];
        for (name, asked, has) in limits {
            if let Some(asked) = asked.filter(|asked| *asked > has) {
                warnings.push(format!(
                    "plugin `{0}` asks for {name} = {asked} and has {has}; under [plugins.{0}] in \
                     tocsin.toml write: limits = {{ {name} = {asked} }}",
                    self.plugin
                ));
            }
        }
        warnings
    }

    fn unused_grants(&self) -> Vec<String> {
        let mut unused = Vec::new();
        for kind in RightKind::ALL {
            let asked = self.asked(kind);
            for name in self.grants.of(kind) {
                if name != "*" && !asked.contains(&name.as_str()) {
                    unused.push(format!(
                        "[plugins.{}] grant.{} has \"{name}\", which its manifest does not ask for",
                        self.plugin,
                        kind.key()
                    ));
                }
            }
        }
        unused
    }

    /// The names that the manifest asks for.
    fn asked(&self, kind: RightKind) -> Vec<&str> {
        let Manifest {
            http,
            webhooks,
            schedules,
            verbs,
            events,
            relays,
            ..
        } = &*self.manifest;
        match kind {
            RightKind::Http => http.iter().map(|ask| ask.name.as_str()).collect(),
            RightKind::Webhook => webhooks.iter().map(|ask| ask.route.as_str()).collect(),
            RightKind::Schedule => schedules.iter().map(|ask| ask.name.as_str()).collect(),
            RightKind::Commands => verbs.iter().map(|verb| verb.as_str()).collect(),
            RightKind::Events => events.iter().map(|kind| kind.as_str()).collect(),
            RightKind::Mail => relays.iter().map(String::as_str).collect(),
        }
    }

    fn check(&self, kind: RightKind, name: &str) -> Result<(), Denied> {
        if !self.asked(kind).contains(&name) {
            return Err(self.unasked(kind, name));
        }
        let denied = |layer: DeniedBy, remedy: String| Denied {
            plugin: self.plugin.clone(),
            what: self.action(kind, name),
            layer,
            remedy,
        };
        let is_denied = |verb: &Verb| verb.as_str() == name;
        if kind == RightKind::Commands && self.global.deny_commands.iter().any(is_denied) {
            let remedy = format!(
                "the policy for all plugins forbids it; remove \"{name}\" from [plugins-policy] \
                 deny-commands"
            );
            return Err(denied(DeniedBy::Global, remedy));
        }
        let granted = self.grants.of(kind);
        if granted.iter().any(|one| one == "*" || one == name) {
            return Ok(());
        }
        let remedy = format!(
            "not granted; under [plugins.{}] in tocsin.toml write: grant = {}",
            self.plugin,
            self.grants.toml_with(kind, name)
        );
        Err(denied(DeniedBy::Grant, remedy))
    }

    fn unasked(&self, kind: RightKind, name: &str) -> Denied {
        let list = || toml_list(self.asked(kind).into_iter().chain([name]));
        let toml = match kind {
            RightKind::Http => format!("[[http]] with name = \"{name}\""),
            RightKind::Webhook => format!("[[webhook]] with route = \"{name}\""),
            RightKind::Schedule => format!("[[schedule]] with name = \"{name}\""),
            RightKind::Commands => format!("[commands] verbs = {}", list()),
            RightKind::Events => format!("events = {}", list()),
            RightKind::Mail => format!("[mail] relays = {}", list()),
        };
        Denied::unasked(&self.plugin, self.action(kind, name), &toml)
    }

    /// Describes the action that this right allows.
    fn action(&self, kind: RightKind, name: &str) -> String {
        match kind {
            RightKind::Http => format!("use the HTTP right `{name}`"),
            RightKind::Webhook => {
                format!("receive webhooks at `/hooks/{}/{name}`", self.plugin)
            }
            RightKind::Schedule => format!("run the schedule `{name}`"),
            RightKind::Commands => format!("use the command `{name}`"),
            RightKind::Events => format!("receive `{name}` events"),
            RightKind::Mail => format!("send mail through the relay `{name}`"),
        }
    }
}

#[cfg(test)]
mod tests;
