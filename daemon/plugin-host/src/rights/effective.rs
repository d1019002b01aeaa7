//! The effective rights: manifest ∩ grant ∩ global policy. A plugin never grants itself anything.

use super::denied::{Denied, DeniedBy, toml_list};
use super::grants::{GlobalPolicy, Grants, PluginGrant, RightKind};
use super::limits::Limits;
use super::manifest::{Manifest, SocketAsk, Verb, WebhookAsk};
use super::network::Network;
use super::schedule::Schedule;
use super::settings::{Settings, means_something};
use crate::event_kind::EventKind;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The order in which `tocsin plugin inspect` lists rights.
const REPORTED: [RightKind; 7] = [
    RightKind::Events,
    RightKind::Http,
    RightKind::Webhook,
    RightKind::Socket,
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

    /// Checks that this socket may be opened, and returns its parameters.
    pub(crate) fn socket(&self, name: &str) -> Result<&SocketAsk, Denied> {
        self.check(RightKind::Socket, name)?;
        let ask = self.manifest.sockets.iter().find(|ask| ask.name == name);
        ask.ok_or_else(|| self.unasked(RightKind::Socket, name))
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
            let names = self.manifest.asked(kind);
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
            let asked = self.manifest.asked(kind);
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

    /// What the settings and secrets that are set need and have not: one warning for each, with the
    /// grant that gives them all of it.
    pub(crate) fn missing(
        &self,
        settings: &Settings,
        is_set: impl Fn(&str) -> bool,
    ) -> Vec<String> {
        let settings_set = self.manifest.config.iter().filter_map(|it| {
            let is_set = settings.get(&it.key).is_some_and(means_something);
            is_set.then(|| (format!("settings.{}", it.key), &it.needs))
        });
        let secrets = self.manifest.secrets.iter();
        let secrets_set = secrets.filter(|it| is_set(&it.name));
        let secrets_set = secrets_set.map(|it| (format!("secrets.{}", it.name), &it.needs));
        let (mut grants, mut missing) = (self.grants.clone(), Vec::new());
        for (whose, needs) in settings_set.chain(secrets_set) {
            let mut names = Vec::new();
            for kind in RightKind::ALL {
                for name in needs
                    .of(kind)
                    .iter()
                    .filter_map(|it| value_of(it, settings))
                {
                    if !self.grants.has(kind, name) {
                        names.push(format!("{} `{name}`", kind.key()));
                        grants.add(kind, name);
                    }
                }
            }
            if !names.is_empty() {
                missing.push((whose, names.join(", ")));
            }
        }
        let plugin = &self.plugin;
        let missing = missing.into_iter().map(|(whose, names)| {
            format!(
                "[plugins.{plugin}] {whose} needs rights that are not granted: {names}; under \
                 [plugins.{plugin}] in tocsin.toml write: grant = {}",
                grants.toml()
            )
        });
        missing.collect()
    }

    fn check(&self, kind: RightKind, name: &str) -> Result<(), Denied> {
        if !self.manifest.asked(kind).contains(&name) {
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
        if self.grants.has(kind, name) {
            return Ok(());
        }
        let mut grants = self.grants.clone();
        grants.add(kind, name);
        let remedy = format!(
            "not granted; under [plugins.{}] in tocsin.toml write: grant = {}",
            self.plugin,
            grants.toml()
        );
        Err(denied(DeniedBy::Grant, remedy))
    }

    fn unasked(&self, kind: RightKind, name: &str) -> Denied {
        let list = || toml_list(self.manifest.asked(kind).into_iter().chain([name]));
        let toml = match kind {
            RightKind::Http => format!("[[http]] with name = \"{name}\""),
            RightKind::Webhook => format!("[[webhook]] with route = \"{name}\""),
            RightKind::Socket => format!("[[socket]] with name = \"{name}\""),
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
            RightKind::Socket => format!("keep the socket `{name}` open"),
            RightKind::Schedule => format!("run the schedule `{name}`"),
            RightKind::Commands => format!("use the command `{name}`"),
            RightKind::Events => format!("receive `{name}` events"),
            RightKind::Mail => format!("send mail through the relay `{name}`"),
        }
    }
}

/// The name of a right that is needed, which may be the value of a setting.
fn value_of<'a>(name: &'a str, settings: &'a Settings) -> Option<&'a str> {
    match name.strip_prefix("config:") {
        Some(key) => settings.get(key)?.as_str(),
        None => Some(name),
    }
}

#[cfg(test)]
mod tests;
