//! `[integrations.ID]`: a sender of alerts and its format.

use serde::{Deserialize, Serialize};

use super::mapping::Mapping;

/// Most labels that a mapping names individually.
pub const MAPPED_LABELS_MAX: usize = 64;
/// Most words for firing, and likewise for resolved, in a mapping.
pub const STATUS_WORDS_MAX: usize = 32;

/// One `[integrations.ID]` section. Senders authenticate with a token of scope `ingest` that is
/// bound to it (`tocsin token create --integration ID`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct IntegrationConfig {
    /// The sender's format.
    pub kind: IntegrationKind,
    /// For kind `generic`: where in the JSON each part is. Default: tocsin's own format
    /// (`/fingerprint`, `/status`, `/title`, `/labels`, …).
    #[serde(default)]
    pub mapping: Option<Mapping>,
}

/// A sender's format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IntegrationKind {
    /// Alertmanager's webhook, version 4, at `/ingest/ID`.
    Alertmanager,
    /// Grafana's webhook contact point, at `/ingest/ID`.
    Grafana,
    /// Any JSON, read with the mapping, at `/ingest/ID`.
    Generic,
    /// Alertmanager's own API at `/api/v2`: tocsin replaces an Alertmanager.
    AlertmanagerApi,
    /// PagerDuty's Events API version 2 at `/v2/enqueue`; the routing key is the token.
    Pagerduty,
}
