//! `[integrations.ID]`: who may send alerts, and in which format.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Longest JSON pointer of a mapping, in bytes.
pub const POINTER_BYTES_MAX: usize = 512;
/// Most labels that a mapping names one by one.
pub const MAPPED_LABELS_MAX: usize = 64;
/// Most words for firing, and for resolved, in a mapping.
pub const STATUS_WORDS_MAX: usize = 32;

/// One `[integrations.ID]` section. Senders authenticate with a token of scope `ingest` that is
/// bound to it (`tocsin token create --integration ID`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct IntegrationConfig {
    /// The format that it speaks.
    pub kind: IntegrationKind,
    /// For kind `generic`: where in the JSON what stands.
    #[serde(default)]
    pub mapping: Option<Mapping>,
}

/// The format that a sender speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IntegrationKind {
    /// Alertmanager's webhook, version 4, at `/ingest/ID`.
    Alertmanager,
    /// Grafana's webhook contact point, at `/ingest/ID`.
    Grafana,
    /// Any JSON, with a mapping, at `/ingest/ID`.
    Generic,
    /// Alertmanager's own API at `/api/v2`: tocsin stands in for an Alertmanager.
    AlertmanagerApi,
    /// PagerDuty's Events API version 2 at `/v2/enqueue`; the routing key is the token.
    Pagerduty,
}

/// Where in a generic body what stands: JSON pointers (RFC 6901) such as `/alert/id`. The empty
/// pointer is the whole value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Mapping {
    /// Where the array of alerts is, when one body has several. The other pointers then start at
    /// each item. Default: the body is one alert.
    #[serde(default)]
    pub items: Option<String>,
    /// What identifies the alert over its life: a string or a number.
    pub fingerprint: String,
    /// What says whether it fires. When absent, or missing in a body, the alert fires.
    #[serde(default)]
    pub status: Option<String>,
    /// The values of `status` that mean firing, in any case. Numbers and booleans are compared
    /// as text. Default `firing`, `alerting`, `triggered`, `open`, `down`, `critical`, `error`,
    /// `true`.
    #[serde(default = "firing_words")]
    pub status_firing: Vec<String>,
    /// The values of `status` that mean resolved. Default `resolved`, `ok`, `closed`, `up`,
    /// `normal`, `recovered`, `false`. A value in neither list is refused.
    #[serde(default = "resolved_words")]
    pub status_resolved: Vec<String>,
    /// One line for people.
    pub title: String,
    /// The labels that policies read: a pointer to an object, or a table from label to pointer.
    #[serde(default)]
    pub labels: Option<LabelMapping>,
    /// Where a person can look.
    #[serde(default)]
    pub link: Option<String>,
    /// More for people.
    #[serde(default)]
    pub summary: Option<String>,
    /// Since when it fires: RFC 3339, or seconds or milliseconds since 1970. When absent, or
    /// missing in a body, since its arrival.
    #[serde(default)]
    pub starts_at: Option<String>,
}

/// Where the labels are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum LabelMapping {
    /// In this object, each of its members a label.
    Object(String),
    /// Each label at its own pointer.
    Each(BTreeMap<String, String>),
}

fn firing_words() -> Vec<String> {
    let words =
        ["firing", "alerting", "triggered", "open", "down", "critical", "error", "true"];
    words.map(str::to_owned).to_vec()
}

fn resolved_words() -> Vec<String> {
    let words = ["resolved", "ok", "closed", "up", "normal", "recovered", "false"];
    words.map(str::to_owned).to_vec()
}

impl Mapping {
    /// Every pointer with the key that holds it.
    pub fn pointers(&self) -> impl Iterator<Item = (&str, &str)> {
        let single = [
            ("items", self.items.as_deref()),
            ("fingerprint", Some(self.fingerprint.as_str())),
            ("status", self.status.as_deref()),
            ("title", Some(self.title.as_str())),
            ("link", self.link.as_deref()),
            ("summary", self.summary.as_deref()),
            ("starts-at", self.starts_at.as_deref()),
        ];
        let labels: Vec<&str> = match &self.labels {
            Some(LabelMapping::Object(pointer)) => vec![pointer],
            Some(LabelMapping::Each(labels)) => labels.values().map(String::as_str).collect(),
            None => Vec::new(),
        };
        let single = single.into_iter().filter_map(|(key, pointer)| Some((key, pointer?)));
        single.chain(labels.into_iter().map(|pointer| ("labels", pointer)))
    }
}
