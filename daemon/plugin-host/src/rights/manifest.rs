//! `plugin.toml`: what a plugin says it is and what it asks for.
//!
//! A manifest never grants anything; it bounds what the operator can grant. Every fault is
//! reported at once and with its line, because fixing one fault per run is slow.

mod check;
mod raw;

use super::limits::LimitRequest;
use super::schedule::Schedule;
use crate::event_kind::EventKind;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The version of the manifest's own format.
pub const SCHEMA: u32 = 1;
/// Entries in any one list of a manifest.
pub const ENTRIES_MAX: usize = 64;
/// Names: ids, routes, settings, secrets and the like, in bytes.
pub const NAME_BYTES_MAX: usize = 64;

/// A manifest without faults.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// Lower case letters, digits and hyphens.
    pub id: String,
    /// The plugin's own version.
    pub version: String,
    pub name: String,
    /// Kinds of events that it wants.
    pub events: Vec<EventKind>,
    /// Contact kinds that it can page.
    pub contacts: Vec<String>,
    /// The operator's settings.
    pub config: Vec<Setting>,
    /// Credentials, by name.
    pub secrets: Vec<SecretAsk>,
    pub http: Vec<HttpAsk>,
    pub webhooks: Vec<WebhookAsk>,
    pub schedules: Vec<ScheduleAsk>,
    /// Verbs of the `commands` interface.
    pub verbs: Vec<Verb>,
    /// Mail relays, by the operator's names.
    pub relays: Vec<String>,
    /// Limits that differ from the defaults.
    pub limits: LimitRequest,
}

/// One setting of the operator.
#[derive(Debug, Clone)]
pub struct Setting {
    /// Its name in `settings` and in the guest's `config.get`.
    pub key: String,
    pub kind: SettingKind,
    /// What holds when the operator says nothing.
    pub default: Option<toml::Value>,
    /// Whether the operator must give it.
    pub required: bool,
    pub help: String,
}

/// Types of settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SettingKind {
    String,
    Integer,
    Boolean,
    List,
}

impl SettingKind {
    /// Does the value have this type?
    pub fn accepts(self, value: &toml::Value) -> bool {
        match self {
            Self::String => value.is_str(),
            Self::Integer => value.is_integer(),
            Self::Boolean => value.is_bool(),
            Self::List => value
                .as_array()
                .is_some_and(|items| items.iter().all(toml::Value::is_str)),
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
}

/// An outbound right.
#[derive(Debug, Clone)]
pub struct HttpAsk {
    /// What `http.request.auth` and the grant call it.
    pub name: String,
    pub origin: OriginAsk,
    /// Globs over the path; `*` matches anything, slashes too.
    pub paths: Vec<String>,
    /// Methods, in capitals.
    pub methods: Vec<String>,
    /// The credential that the host adds.
    pub inject: Option<Inject>,
}

/// Where an outbound right leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OriginAsk {
    /// Scheme, host and port.
    Fixed(url::Origin),
    /// The origin of the URL in this setting.
    Setting(String),
}

/// A header that the host adds to a request after it was allowed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Inject {
    pub secret: String,
    /// The header's name, in lower case.
    pub header: String,
    /// The value; `{}` is where the secret goes.
    #[serde(default = "Inject::bare")]
    pub format: String,
}

impl Inject {
    fn bare() -> String {
        "{}".into()
    }
}

/// An inbound route.
#[derive(Debug, Clone)]
pub struct WebhookAsk {
    /// The last part of `/hooks/PLUGIN/ROUTE`.
    pub route: String,
    /// Methods, in capitals.
    pub methods: Vec<String>,
    /// Time to answer, in milliseconds.
    pub budget_ms: u64,
    /// Size of the body, in bytes.
    pub body_bytes_max: usize,
    /// How the sender proves who it is.
    pub verify: VerifyAsk,
}

/// A signature scheme with its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyAsk {
    pub scheme: Scheme,
    /// The secret's name. Empty for [`Scheme::None`].
    pub secret: String,
    /// How old a signed request may be, in seconds.
    pub tolerance_s: u64,
}

/// Ways to sign a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scheme {
    /// Slack's `v0`.
    SlackV0,
    /// GitLab's secret token header.
    GitlabToken,
    /// standardwebhooks.com, version 1, symmetric.
    StandardWebhooks,
    /// HMAC-SHA-256 of the body in hexadecimal, in this header (lower case).
    HmacSha256 {
        /// The header's name.
        header: String,
    },
    /// Nobody checks; the guest sees `verified: false`.
    None,
}

/// Something that is due at set times.
#[derive(Debug, Clone)]
pub struct ScheduleAsk {
    pub name: String,
    pub schedule: Schedule,
}

/// What a plugin may ask of the incident engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    Get,
    List,
    /// Find an incident by what it is called elsewhere.
    FindByRef,
    Open,
    /// Any line of the chat grammar.
    Run,
    /// Only the chat lines that begin with `ack`.
    Ack,
    Apply,
    Answer,
    Log,
    /// Say what an incident is called elsewhere.
    Link,
    /// Record a deployment or another change.
    RecordChange,
    Signal,
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
        }
    }
}

/// One thing wrong with a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Counted from 1.
    pub line: usize,
    /// What, and what to do.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "plugin.toml:{}: {}", self.line, self.message)
    }
}

/// Everything wrong with a manifest, in the order of its lines.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct ManifestFaults(pub Vec<Fault>);

impl Manifest {
    /// Reads and checks a manifest.
    ///
    /// # Errors
    /// All faults that were found.
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
