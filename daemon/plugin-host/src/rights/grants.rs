//! The operator's grants, from tocsin.toml.

use super::denied::toml_list;
use super::limits::LimitRequest;
use super::manifest::Verb;
use super::network::Network;
use super::secrets::SecretSource;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// `[plugins.ID]` of tocsin.toml.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PluginGrant {
    /// The folder with plugin.toml and plugin.wasm.
    pub path: PathBuf,
    /// Values for the manifest's `[[config]]`.
    #[serde(default)]
    pub settings: toml::Table,
    /// Where the values of the manifest's `[[secret]]` are stored.
    #[serde(default)]
    pub secrets: BTreeMap<String, SecretSource>,
    #[serde(default)]
    pub grant: Grants,
    /// Internal networks that the plugin may reach. None by default.
    #[serde(default)]
    pub allow_networks: BTreeSet<Network>,
    /// Limits that differ from the defaults.
    #[serde(default)]
    pub limits: LimitRequest,
    /// Whether it receives security incidents unredacted.
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
    /// Names of `[[socket]]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub socket: Vec<String>,
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

/// The kinds of rights, which are the keys of `grant`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RightKind {
    Http,
    Webhook,
    Socket,
    Schedule,
    Commands,
    Events,
    Mail,
}

impl RightKind {
    /// In the order in which a grant is printed.
    pub(crate) const ALL: [Self; 7] = [
        Self::Http,
        Self::Webhook,
        Self::Socket,
        Self::Schedule,
        Self::Commands,
        Self::Events,
        Self::Mail,
    ];

    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Webhook => "webhook",
            Self::Socket => "socket",
            Self::Schedule => "schedule",
            Self::Commands => "commands",
            Self::Events => "events",
            Self::Mail => "mail",
        }
    }
}

impl Grants {
    /// The granted names of one kind of right.
    pub(crate) fn of(&self, kind: RightKind) -> &[String] {
        match kind {
            RightKind::Http => &self.http,
            RightKind::Webhook => &self.webhook,
            RightKind::Socket => &self.socket,
            RightKind::Schedule => &self.schedule,
            RightKind::Commands => &self.commands,
            RightKind::Events => &self.events,
            RightKind::Mail => &self.mail,
        }
    }

    /// Whether a right is granted.
    pub(crate) fn has(&self, kind: RightKind, name: &str) -> bool {
        self.of(kind).iter().any(|one| one == "*" || one == name)
    }

    /// Grants one right more.
    pub(crate) fn add(&mut self, kind: RightKind, name: &str) {
        if self.has(kind, name) {
            return;
        }
        let names = match kind {
            RightKind::Http => &mut self.http,
            RightKind::Webhook => &mut self.webhook,
            RightKind::Socket => &mut self.socket,
            RightKind::Schedule => &mut self.schedule,
            RightKind::Commands => &mut self.commands,
            RightKind::Events => &mut self.events,
            RightKind::Mail => &mut self.mail,
        };
        names.push(name.to_owned());
    }

    /// Their TOML: `{ http = ["bot"], events = ["*"] }`.
    pub(crate) fn toml(&self) -> String {
        let part = |one: RightKind| {
            let names = self.of(one);
            let list = || toml_list(names.iter().map(String::as_str));
            (!names.is_empty()).then(|| format!("{} = {}", one.key(), list()))
        };
        let parts: Vec<String> = RightKind::ALL.into_iter().filter_map(part).collect();
        format!("{{ {} }}", parts.join(", "))
    }
}

/// What no plugin may do on this daemon, regardless of its grant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct GlobalPolicy {
    /// Networks that no plugin may reach.
    #[serde(default)]
    pub deny_networks: BTreeSet<Network>,
    /// Verbs that no plugin may use.
    #[serde(default)]
    pub deny_commands: BTreeSet<Verb>,
}
