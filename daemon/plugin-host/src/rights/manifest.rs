//! `plugin.toml`: a plugin's description of itself and the rights it asks for.
//!
//! A manifest never grants anything; it limits what the operator can grant. All faults are reported
//! together and with their lines, because fixing one fault per run is slow.

mod check;
mod inject;
mod raw;
mod socket;
mod verify;

use super::grants::{Grants, RightKind};
use super::limits::LimitRequest;
use super::schedule::Schedule;
use super::settings::{Settings, means_something};
use crate::event_kind::EventKind;
use serde::{Deserialize, Serialize};
use std::fmt;

pub use inject::{BasicUser, Inject, InjectPlace};
pub use socket::{SocketAsk, SocketOrigin};
pub use verify::{HmacHash, Scheme, Signed, VerifyAsk};

/// The version of the manifest format.
pub const SCHEMA: u32 = 1;
/// Most entries in any list of a manifest.
pub const ENTRIES_MAX: usize = 64;
/// Longest name of an id, route, setting, secret or the like, in bytes.
pub const NAME_BYTES_MAX: usize = 64;

/// A valid manifest.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// Lower case letters, digits and hyphens.
    pub id: String,
    /// The plugin's own version.
    pub version: String,
    pub name: String,
    /// Kinds of events that it subscribes to.
    pub events: Vec<EventKind>,
    /// Contact kinds that it can page.
    pub contacts: Vec<String>,
    /// What their addresses look like, where it says so.
    pub addresses: Vec<AddressAsk>,
    /// The operator's settings.
    pub config: Vec<Setting>,
    /// Credentials, by name.
    pub secrets: Vec<SecretAsk>,
    pub http: Vec<HttpAsk>,
    pub webhooks: Vec<WebhookAsk>,
    pub schedules: Vec<ScheduleAsk>,
    pub sockets: Vec<SocketAsk>,
    /// Verbs of the `commands` interface.
    pub verbs: Vec<Verb>,
    /// Mail relays, by their names in the configuration.
    pub relays: Vec<String>,
    /// Limits that differ from the defaults.
    pub limits: LimitRequest,
}

/// A setting that the operator configures.
#[derive(Debug, Clone)]
pub struct Setting {
    /// Its name in `settings` and in the guest's `config.get`.
    pub key: String,
    pub kind: SettingKind,
    /// Used if the operator does not set it.
    pub default: Option<toml::Value>,
    /// Whether the operator must set it.
    pub required: bool,
    pub help: String,
    /// Rights without which it has no effect.
    pub needs: Grants,
    /// Whether buttons work by it, and not by links to the daemon.
    pub replaces_links: bool,
}

/// What the addresses of a kind of contacts look like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressAsk {
    /// The kind of contacts.
    pub contact: String,
    pub pattern: PatternAsk,
    /// What matches the pattern, in words: "a topic of 1 to 64 letters".
    pub help: String,
}

/// A regular expression that a whole address must match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PatternAsk {
    Fixed(String),
    /// The one in this setting; without it any address will do.
    Setting(String),
}

/// Types of settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SettingKind {
    String,
    Integer,
    Boolean,
    /// Of strings.
    List,
    /// From strings to strings.
    Table,
}

impl SettingKind {
    /// Whether the value has this type.
    pub fn accepts(self, value: &toml::Value) -> bool {
        match self {
            Self::String => value.is_str(),
            Self::Integer => value.is_integer(),
            Self::Boolean => value.is_bool(),
            Self::List => value
                .as_array()
                .is_some_and(|items| items.iter().all(toml::Value::is_str)),
            Self::Table => value
                .as_table()
                .is_some_and(|entries| entries.values().all(toml::Value::is_str)),
        }
    }
}

impl fmt::Display for SettingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Boolean => "boolean",
            Self::List => "list of strings",
            Self::Table => "table of strings",
        })
    }
}

/// A credential that the operator supplies.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SecretAsk {
    pub name: String,
    #[serde(default)]
    pub help: String,
    /// Whether the plugin works without it.
    #[serde(default)]
    pub optional: bool,
    /// Rights without which it has no effect.
    #[serde(default)]
    pub needs: Grants,
}

/// An outbound right.
#[derive(Debug, Clone)]
pub struct HttpAsk {
    /// Used in `http.request.auth` and in the grant.
    pub name: String,
    pub origin: OriginAsk,
    /// Globs over the path; `*` matches anything, including slashes.
    pub paths: Vec<String>,
    /// In upper case.
    pub methods: Vec<String>,
    /// The credential that the host adds.
    pub inject: Option<Inject>,
}

/// The origin of an outbound right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OriginAsk {
    /// Scheme, host and port.
    Fixed(url::Origin),
    /// The origin of the URL in this setting.
    Setting(String),
}

/// An inbound route.
#[derive(Debug, Clone)]
pub struct WebhookAsk {
    /// The last part of `/hooks/PLUGIN/ROUTE`.
    pub route: String,
    /// In upper case.
    pub methods: Vec<String>,
    /// Time to respond, in milliseconds.
    pub budget_ms: u64,
    /// Largest body, in bytes.
    pub body_bytes_max: usize,
    /// How the sender is authenticated.
    pub verify: VerifyAsk,
}

/// A schedule that the manifest asks for.
#[derive(Debug, Clone)]
pub struct ScheduleAsk {
    pub name: String,
    pub schedule: Schedule,
}

/// A command of the incident engine that a plugin may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    Get,
    List,
    /// Find an incident by its id in another system.
    FindByRef,
    Open,
    /// Run any chat command line.
    Run,
    /// Acknowledge pages, and run only chat command lines that begin with `ack`.
    Ack,
    Apply,
    Answer,
    Log,
    /// Record an incident's id in another system.
    Link,
    /// Record a deployment or another change.
    RecordChange,
    Signal,
    /// Report that a page was shown or pressed.
    Receipt,
}

impl Verb {
    /// The name in manifests and grants.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::List => "list",
            Self::FindByRef => "find-by-ref",
            Self::Open => "open",
            Self::Run => "run",
            Self::Ack => "ack",
            Self::Apply => "apply",
            Self::Answer => "answer",
            Self::Log => "log",
            Self::Link => "link",
            Self::RecordChange => "record-change",
            Self::Signal => "signal",
            Self::Receipt => "receipt",
        }
    }
}

/// A fault in a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Counted from 1.
    pub line: usize,
    /// Includes the remedy.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "plugin.toml:{}: {}", self.line, self.message)
    }
}

/// All faults of a manifest, in the order of its lines.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct ManifestFaults(pub Vec<Fault>);

impl Manifest {
    /// Reads and checks a manifest.
    ///
    /// # Errors
    /// All faults.
    pub fn parse(text: &str) -> Result<Self, ManifestFaults> {
        let raw: raw::Raw = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            let message = error.message().replace('\n', "; ");
            ManifestFaults(vec![Fault {
                line: line_of(text, at),
                message,
            }])
        })?;
        check::check(text, raw)
    }

    /// The names of the rights of a kind that it asks for.
    pub(crate) fn asked(&self, kind: RightKind) -> Vec<&str> {
        match kind {
            RightKind::Http => self.http.iter().map(|ask| ask.name.as_str()).collect(),
            RightKind::Webhook => self.webhooks.iter().map(|ask| ask.route.as_str()).collect(),
            RightKind::Socket => self.sockets.iter().map(|ask| ask.name.as_str()).collect(),
            RightKind::Schedule => self.schedules.iter().map(|ask| ask.name.as_str()).collect(),
            RightKind::Commands => self.verbs.iter().map(|verb| verb.as_str()).collect(),
            RightKind::Events => self.events.iter().map(|kind| kind.as_str()).collect(),
            RightKind::Mail => self.relays.iter().map(String::as_str).collect(),
        }
    }

    /// The setting that replaces links to the daemon, if it has one and it is not set.
    pub(crate) fn replaces_links(&self, settings: &Settings) -> Option<String> {
        let mut asks = self.config.iter().filter(|it| it.replaces_links);
        let is_set = |key: &str| settings.get(key).is_some_and(means_something);
        let ask = asks.next().filter(|it| !is_set(&it.key));
        ask.map(|it| it.key.clone())
    }

    /// What settings and secrets need, with whose it is.
    fn needs(&self) -> impl Iterator<Item = (&Grants, &str)> {
        let settings = self.config.iter().map(|it| (&it.needs, it.key.as_str()));
        let secrets = self.secrets.iter().map(|it| (&it.needs, it.name.as_str()));
        settings.chain(secrets)
    }
}

/// A regular expression that only a whole text matches.
///
/// # Errors
/// What is wrong with it.
pub fn whole_pattern(pattern: &str) -> Result<regex::Regex, String> {
    let whole = regex::Regex::new(&format!("^(?:{pattern})$"));
    whole.map_err(|error| {
        let why = error.to_string();
        let last = why.lines().last().unwrap_or_default();
        format!("`{pattern}` is not a regular expression: {last}")
    })
}

/// The line of a byte offset, counted from 1.
fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes()
        .iter()
        .take(at)
        .filter(|byte| **byte == b'\n')
        .count()
        + 1
}

#[cfg(test)]
mod tests;
