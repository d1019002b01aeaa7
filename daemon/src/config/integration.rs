//! `[integrations.ID]`: a sender of alerts and its format.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use tocsin_core::Sender;

use super::expect::Expected;
use super::mapping::Mapping;
use super::secret::SecretRef;
use super::text::Span;

/// Most labels that a mapping names individually.
pub const MAPPED_LABELS_MAX: usize = 64;
/// Most words for firing, and likewise for resolved, in a mapping.
pub const STATUS_WORDS_MAX: usize = 32;

/// Shortest and longest `resolve-after-silence`.
pub(super) const SILENCE_MIN: Span = Span::from_s(60);
pub(super) const SILENCE_MAX: Span = Span::from_s(30 * 24 * 3600);

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
    /// Whether the sender repeats an alert while it fires. Then its alerts do not reopen an
    /// incident that a person has resolved until `reopen-within` has passed; an alert from another
    /// sender reopens it at once. Default: true for `alertmanager`, `grafana` and
    /// `alertmanager-api`.
    #[serde(default)]
    pub repeats: Option<bool>,
    /// For kind `sentry`: the client secret of its integration, with which it signs.
    #[serde(default)]
    pub secret: Option<SecretRef>,
    /// For kind `cloudwatch`: the ARNs of the topics whose messages count, and whose subscriptions
    /// are confirmed.
    #[serde(default)]
    pub topics: Vec<String>,
    /// For kind `cloudwatch`: a PEM file with the certificate of Amazon SNS in the topics' region,
    /// for a daemon that cannot fetch it there.
    #[serde(default)]
    pub certificate: Option<PathBuf>,
    /// For a sender that never says when an alert is over: one that it has not mentioned for so
    /// long is. Also, a person who resolves an incident ends this sender's alerts in it. `"1m"` to
    /// `"30d"`, and longer than the sender takes to repeat an alert.
    #[serde(default)]
    pub resolve_after_silence: Option<Span>,
    /// Alerts that the sender sends all the time, such as Prometheus' `Watchdog`: they open no
    /// incident, but their absence does. One table or a list of them.
    #[serde(default)]
    pub expect: Expected,
}

impl IntegrationConfig {
    /// How the sender reports alerts.
    #[must_use]
    pub fn sender(&self) -> Sender {
        Sender {
            repeats: self.repeats.unwrap_or(self.kind.repeats()),
            resolves: self.resolve_after_silence.is_none(),
        }
    }
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
    /// Sentry's webhooks of an internal integration, at `/ingest/ID`, signed with `secret`.
    Sentry,
    /// CloudWatch's alarms through Amazon SNS, at `/ingest/ID`, from `topics`.
    Cloudwatch,
    /// Uptime Kuma's webhook notification, at `/ingest/ID`.
    UptimeKuma,
}

impl IntegrationKind {
    /// Whether such senders usually repeat an alert while it fires.
    fn repeats(self) -> bool {
        match self {
            Self::Alertmanager | Self::Grafana | Self::AlertmanagerApi => true,
            Self::Generic
            | Self::Pagerduty
            | Self::Sentry
            | Self::Cloudwatch
            | Self::UptimeKuma => false,
        }
    }
}
