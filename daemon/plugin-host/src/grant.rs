//! What the operator grants, and what holds in the end: manifest ∩ grant ∩ global policy.
//!
//! A plugin never grants itself anything, and a denial is never a riddle: it carries the line of
//! TOML that would lift it, in the file of whoever can lift it.

use crate::limits::{LimitRequest, Limits};
use crate::manifest::{Manifest, Verb, WebhookAsk};
use crate::outbound::{Network, OutboundPolicy};
use crate::schedule::Schedule;
use crate::secrets::SecretSource;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// `[plugins.ID]` of tocsin.toml.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PluginGrant {
    /// The folder with plugin.toml and plugin.wasm.
    pub path: PathBuf,
    /// Values for the manifest's `[[config]]`.
    #[serde(default)]
    pub settings: toml::Table,
    /// Places of the manifest's `[[secret]]`.
    #[serde(default)]
    pub secrets: BTreeMap<String, SecretSource>,
    /// The rights.
    #[serde(default)]
    pub grant: Grants,
    /// Networks inside the operator's own walls that the plugin may reach. None by default.
    #[serde(default)]
    pub allow_networks: BTreeSet<Network>,
    /// Limits above the defaults, or below.
    #[serde(default)]
    pub limits: LimitRequest,
    /// Whether incidents under the security flag reach it unredacted.
    #[serde(default)]
    pub clearance: bool,
}

/// Granted rights by name; `"*"` grants all that the manifest asks for of that kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Grants {
    /// Names of `[[http]]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub http: Vec<String>,
    /// Routes of `[[webhook]]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub webhook: Vec<String>,
    /// Names of `[[schedule]]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub schedule: Vec<String>,
    /// Verbs of `[commands]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<String>,
    /// Kinds of events.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<String>,
    /// Relays of `[mail]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mail: Vec<String>,
}

/// The kinds of rights, as the keys of `grant` name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RightKind {
    /// Outbound HTTP.
    Http,
    /// Inbound webhooks.
    Webhook,
    /// Schedules.
    Schedule,
    /// Commands to the incident engine.
    Commands,
    /// Events.
    Events,
    /// Mail.
    Mail,
}

impl RightKind {
    /// Its key in `grant`.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Webhook => "webhook",
            Self::Schedule => "schedule",
            Self::Commands => "commands",
            Self::Events => "events",
            Self::Mail => "mail",
        }
    }

    fn of(self, grants: &Grants) -> &Vec<String> {
        match self {
            Self::Http => &grants.http,
            Self::Webhook => &grants.webhook,
            Self::Schedule => &grants.schedule,
            Self::Commands => &grants.commands,
            Self::Events => &grants.events,
            Self::Mail => &grants.mail,
        }
    }

    fn of_mut(self, grants: &mut Grants) -> &mut Vec<String> {
        match self {
            Self::Http => &mut grants.http,
            Self::Webhook => &mut grants.webhook,
            Self::Schedule => &mut grants.schedule,
            Self::Commands => &mut grants.commands,
            Self::Events => &mut grants.events,
            Self::Mail => &mut grants.mail,
        }
    }
}

/// What no plugin may do on this daemon, whatever its grant says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct GlobalPolicy {
    /// Networks that stay closed.
    #[serde(default)]
    pub deny_networks: BTreeSet<Network>,
    /// Verbs that stay closed.
    #[serde(default)]
    pub deny_commands: BTreeSet<Verb>,
}

/// Who said no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layer {
    /// The manifest does not ask for it.
    Manifest,
    /// The operator's grant does not give it.
    Grant,
    /// The daemon's policy for all plugins forbids it.
    Global,
    /// The host never allows it.
    Host,
}

/// A right that does not hold, with what would change that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denied {
    /// Whom.
    pub plugin: String,
    /// What, such as ``open `https://a.example` ``.
    pub what: String,
    /// Who said no.
    pub layer: Layer,
    /// The line of TOML that would grant it, or why nothing would.
    pub remedy: String,
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "plugin `{}` may not {}: {}",
            self.plugin, self.what, self.remedy
        )
    }
}

impl std::error::Error for Denied {}

/// One line of `tocsin plugin inspect`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RightState {
    /// The kind of right.
    pub kind: RightKind,
    /// Its name in the manifest.
    pub name: String,
    /// None when it holds.
    pub denied: Option<Denied>,
}

/// The rights that hold for one generation of a plugin.
#[derive(Debug)]
pub struct Rights {
    plugin: String,
    manifest: Arc<Manifest>,
    grants: Grants,
    global: GlobalPolicy,
    outbound: Arc<OutboundPolicy>,
    limits: Limits,
}

impl Rights {
    pub(crate) fn new(
        plugin: &str,
        manifest: Arc<Manifest>,
        grant: &PluginGrant,
        settings: &BTreeMap<String, toml::Value>,
        global: GlobalPolicy,
    ) -> Self {
        let limits = Limits::effective(manifest.limits, grant.limits);
        let networks = grant
            .allow_networks
            .difference(&global.deny_networks)
            .copied()
            .collect();
        let mut rights = Self {
            plugin: plugin.to_owned(),
            manifest,
            grants: grant.grant.clone(),
            global,
            outbound: Arc::default(),
            limits,
        };
        rights.outbound = Arc::new(OutboundPolicy::new(&rights, settings, networks));
        rights
    }

    /// The plugin's id.
    pub fn plugin(&self) -> &str {
        &self.plugin
    }

    /// The manifest that asked.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The limits that hold.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Where it may send requests.
    pub fn outbound(&self) -> &Arc<OutboundPolicy> {
        &self.outbound
    }

    /// May events of this kind reach it?
    ///
    /// # Errors
    /// The denial with its remedy.
    pub fn event(&self, kind: &str) -> Result<(), Denied> {
        let what = format!("receive `{kind}` events");
        if !self.manifest.events.iter().any(|event| event == kind) {
            let list = self
                .manifest
                .events
                .iter()
                .map(String::as_str)
                .chain([kind]);
            return Err(self.unasked(what, format!("events = {}", toml_list(list))));
        }
        self.granted(RightKind::Events, kind, what)
    }

    /// May this route be called? Gives its parameters.
    ///
    /// # Errors
    /// The denial with its remedy.
    pub fn webhook(&self, route: &str) -> Result<&WebhookAsk, Denied> {
        let what = format!("take webhooks at `/hooks/{}/{route}`", self.plugin);
        let Some(ask) = self.manifest.webhook(route) else {
            return Err(self.unasked(what, format!("[[webhook]] with route = \"{route}\"")));
        };
        self.granted(RightKind::Webhook, route, what)?;
        Ok(ask)
    }

    /// May this schedule run? Gives its times.
    ///
    /// # Errors
    /// The denial with its remedy.
    pub fn schedule(&self, name: &str) -> Result<&Schedule, Denied> {
        let what = format!("run the schedule `{name}`");
        let Some(ask) = self.manifest.schedules.iter().find(|ask| ask.name == name) else {
            return Err(self.unasked(what, format!("[[schedule]] with name = \"{name}\"")));
        };
        self.granted(RightKind::Schedule, name, what)?;
        Ok(&ask.schedule)
    }

    /// May it use this verb of the incident engine?
    ///
    /// # Errors
    /// The denial with its remedy.
    pub fn verb(&self, verb: Verb) -> Result<(), Denied> {
        let what = format!("use the command `{}`", verb.as_str());
        if !self.manifest.verbs.contains(&verb) {
            let list = self
                .manifest
                .verbs
                .iter()
                .map(|verb| verb.as_str())
                .chain([verb.as_str()]);
            return Err(self.unasked(what, format!("[commands] verbs = {}", toml_list(list))));
        }
        if self.global.deny_commands.contains(&verb) {
            let remedy = format!(
                "the policy for all plugins forbids it; take \"{}\" out of [plugins-policy] \
                 deny-commands",
                verb.as_str()
            );
            return Err(self.denied(what, Layer::Global, remedy));
        }
        self.granted(RightKind::Commands, verb.as_str(), what)
    }

    /// May it send mail over this relay?
    ///
    /// # Errors
    /// The denial with its remedy.
    pub fn relay(&self, relay: &str) -> Result<(), Denied> {
        let what = format!("send mail over the relay `{relay}`");
        if !self.manifest.relays.iter().any(|asked| asked == relay) {
            let list = self
                .manifest
                .relays
                .iter()
                .map(String::as_str)
                .chain([relay]);
            return Err(self.unasked(what, format!("[mail] relays = {}", toml_list(list))));
        }
        self.granted(RightKind::Mail, relay, what)
    }

    /// The schedules that hold.
    pub fn schedules(&self) -> impl Iterator<Item = (&str, &Schedule)> {
        self.manifest
            .schedules
            .iter()
            .filter(|ask| self.schedule(&ask.name).is_ok())
            .map(|ask| (ask.name.as_str(), &ask.schedule))
    }

    /// Everything that the manifest asks for, and whether it holds.
    pub fn report(&self) -> Vec<RightState> {
        let manifest = &self.manifest;
        let mut report = Vec::new();
        let mut note = |kind, name: &str, denied: Option<Denied>| {
            report.push(RightState {
                kind,
                name: name.to_owned(),
                denied,
            });
        };
        for event in &manifest.events {
            note(RightKind::Events, event, self.event(event).err());
        }
        for ask in &manifest.http {
            note(RightKind::Http, &ask.name, self.http(&ask.name).err());
        }
        for ask in &manifest.webhooks {
            note(
                RightKind::Webhook,
                &ask.route,
                self.webhook(&ask.route).err(),
            );
        }
        for ask in &manifest.schedules {
            note(
                RightKind::Schedule,
                &ask.name,
                self.schedule(&ask.name).err(),
            );
        }
        for verb in &manifest.verbs {
            note(RightKind::Commands, verb.as_str(), self.verb(*verb).err());
        }
        for relay in &manifest.relays {
            note(RightKind::Mail, relay, self.relay(relay).err());
        }
        report
    }

    /// What is odd about the grant: names that the manifest does not ask for (most often a
    /// misspelling), and limits that it asks for and does not get.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = self.unused_grants();
        let asked = self.manifest.limits;
        let has = self.limits;
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
        let manifest = &self.manifest;
        let mut unused = Vec::new();
        let mut look = |kind: RightKind, asked: Vec<&str>| {
            for name in kind.of(&self.grants) {
                if name != "*" && !asked.contains(&name.as_str()) {
                    unused.push(format!(
                        "[plugins.{}] grant.{} has \"{name}\", which its manifest does not ask for",
                        self.plugin,
                        kind.key()
                    ));
                }
            }
        };
        look(
            RightKind::Http,
            manifest.http.iter().map(|ask| ask.name.as_str()).collect(),
        );
        look(
            RightKind::Webhook,
            manifest
                .webhooks
                .iter()
                .map(|ask| ask.route.as_str())
                .collect(),
        );
        look(
            RightKind::Schedule,
            manifest
                .schedules
                .iter()
                .map(|ask| ask.name.as_str())
                .collect(),
        );
        look(
            RightKind::Commands,
            manifest.verbs.iter().map(|verb| verb.as_str()).collect(),
        );
        look(
            RightKind::Events,
            manifest.events.iter().map(String::as_str).collect(),
        );
        look(
            RightKind::Mail,
            manifest.relays.iter().map(String::as_str).collect(),
        );
        unused
    }

    pub(crate) fn http(&self, name: &str) -> Result<(), Denied> {
        self.granted(
            RightKind::Http,
            name,
            format!("use the HTTP right `{name}`"),
        )
    }

    pub(crate) fn granted(&self, kind: RightKind, name: &str, what: String) -> Result<(), Denied> {
        let names = kind.of(&self.grants);
        if names
            .iter()
            .any(|granted| granted == "*" || granted == name)
        {
            return Ok(());
        }
        let mut wanted = self.grants.clone();
        kind.of_mut(&mut wanted).push(name.to_owned());
        let remedy = format!(
            "not granted; under [plugins.{}] in tocsin.toml write: grant = {}",
            self.plugin,
            wanted.to_inline_toml()
        );
        Err(self.denied(what, Layer::Grant, remedy))
    }

    pub(crate) fn unasked(&self, what: String, toml: String) -> Denied {
        let remedy = format!("its manifest does not ask for it; plugin.toml would need: {toml}");
        self.denied(what, Layer::Manifest, remedy)
    }

    fn denied(&self, what: String, layer: Layer, remedy: String) -> Denied {
        Denied {
            plugin: self.plugin.clone(),
            what,
            layer,
            remedy,
        }
    }
}

impl Grants {
    /// `{ http = ["bot"], events = ["*"] }`
    fn to_inline_toml(&self) -> String {
        let kinds = [
            RightKind::Http,
            RightKind::Webhook,
            RightKind::Schedule,
            RightKind::Commands,
            RightKind::Events,
            RightKind::Mail,
        ];
        let parts: Vec<String> = kinds
            .iter()
            .filter(|kind| !kind.of(self).is_empty())
            .map(|kind| {
                let list = toml_list(kind.of(self).iter().map(String::as_str));
                format!("{} = {list}", kind.key())
            })
            .collect();
        format!("{{ {} }}", parts.join(", "))
    }
}

pub(crate) fn toml_list<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let quoted: Vec<String> = names
        .map(|name| toml::Value::String(name.to_owned()).to_string())
        .collect();
    format!("[{}]", quoted.join(", "))
}

#[cfg(test)]
mod tests;
