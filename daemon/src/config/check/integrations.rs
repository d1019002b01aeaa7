//! Checks of integrations and mappings.

use tocsin_core::drill;

use super::Check;
use crate::config::expect::{EVERY_MAX, EVERY_MIN, EXPECTED_BYTES_MAX};
use crate::config::integration::{MAPPED_LABELS_MAX, SILENCE_MAX, SILENCE_MIN, STATUS_WORDS_MAX};
use crate::config::source::at;
use crate::config::{
    EXPECTED_MAX, ExpectConfig, IntegrationConfig, IntegrationKind, LabelsFrom, Mapping, Span,
};

impl Check<'_> {
    pub(super) fn integrations(&mut self) {
        let config = self.config;
        for (id, integration) in &config.integrations {
            self.integration(id.as_str(), integration);
        }
    }

    fn integration(&mut self, id: &str, integration: &IntegrationConfig) {
        if id == drill::INTEGRATION {
            self.error(
                at!["integrations", id],
                format!("the alerts of drills come from `{id}`"),
                "give the integration another name",
            );
        }
        self.expected(id, &integration.expect.0);
        if let Some(silence) = integration.resolve_after_silence {
            self.resolve_after_silence(id, integration.kind, silence);
        }
        self.signed(id, integration);
        let Some(mapping) = &integration.mapping else {
            return;
        };
        match integration.kind {
            IntegrationKind::Generic => self.mapping(id, mapping),
            _ => self.error(
                at!["integrations", id, "mapping"],
                format!("integration `{id}` is not of kind generic, so its mapping is not used"),
                "remove the mapping, or set kind = \"generic\"",
            ),
        }
    }

    /// What senders that sign their requests need, and others do not.
    fn signed(&mut self, id: &str, integration: &IntegrationConfig) {
        let is_sentry = integration.kind == IntegrationKind::Sentry;
        if is_sentry && integration.secret.is_none() {
            let message = format!("`{id}` has no secret, so that nobody knows what is Sentry's");
            let remedy = "add secret = { env = \"NAME\" } with the client secret of the \
                          integration in Sentry";
            self.error(at!["integrations", id], message, remedy);
        } else if !is_sentry && integration.secret.is_some() {
            let message = format!("integration `{id}` is not of kind sentry and has no signature");
            self.error(at!["integrations", id, "secret"], message, "remove it");
        }
        let is_cloudwatch = integration.kind == IntegrationKind::Cloudwatch;
        if is_cloudwatch && integration.topics.is_empty() {
            let message = format!("`{id}` lists no topics, so that nothing of it counts");
            let remedy = "add topics = [\"arn:aws:sns:REGION:ACCOUNT:NAME\"]";
            self.error(at!["integrations", id], message, remedy);
        }
        let of_cloudwatch = [
            ("topics", !integration.topics.is_empty()),
            ("certificate", integration.certificate.is_some()),
        ];
        for (key, is_set) in of_cloudwatch {
            if is_set && !is_cloudwatch {
                let message = format!("integration `{id}` is not of kind cloudwatch");
                self.error(at!["integrations", id, key], message, "remove it");
            }
        }
        for (number, topic) in integration.topics.iter().enumerate() {
            let is_arn = topic.starts_with("arn:aws") && topic.split(':').count() == 6;
            if !is_arn {
                let message = format!("`{topic}` is not the ARN of a topic");
                let remedy = "write it as \"arn:aws:sns:REGION:ACCOUNT:NAME\"";
                self.error(at!["integrations", id, "topics", number], message, remedy);
            }
        }
    }

    fn expected(&mut self, id: &str, expected: &[ExpectConfig]) {
        let place = at!["integrations", id, "expect"];
        if expected.len() > EXPECTED_MAX {
            let message = format!("`{id}` is expected to send {} alerts", expected.len());
            self.error(place, message, "name at most 16");
        }
        for (number, one) in expected.iter().enumerate() {
            let (every, before) = (one.every, &expected[..number]);
            if !(EVERY_MIN..=EVERY_MAX).contains(&every) {
                let message = format!("`{id}` is expected to send an alert every {every}");
                self.error(place, message, "choose every = \"30s\" to \"7d\"");
            }
            if one.labels.is_empty() {
                let message = "an expected alert without labels is any alert".to_owned();
                let remedy = "name its labels, such as labels = { alertname = \"Watchdog\" }";
                self.error(place, message, remedy);
            } else if one.bytes() > EXPECTED_BYTES_MAX {
                let message = format!("the labels of an expected alert have {} bytes", one.bytes());
                self.error(
                    place,
                    message,
                    "name fewer, with at most 200 bytes together",
                );
            } else if one.has_control() {
                let message = "the labels of an expected alert have control characters".to_owned();
                self.error(place, message, "name other labels");
            } else if before.iter().any(|it| it.labels == one.labels) {
                let message = format!("`{id}` is expected to send the same alert twice");
                self.error(place, message, "remove one of them");
            }
        }
    }

    fn resolve_after_silence(&mut self, id: &str, kind: IntegrationKind, silence: Span) {
        let place = at!["integrations", id, "resolve-after-silence"];
        if !(SILENCE_MIN..=SILENCE_MAX).contains(&silence) {
            let message = format!("resolve-after-silence is {silence}");
            self.error(place, message, "choose \"1m\" to \"30d\"");
        } else if kind == IntegrationKind::AlertmanagerApi {
            let message = "alerts of kind alertmanager-api end by themselves when they are no \
                           longer sent, so resolve-after-silence is not used";
            self.error(place, message.to_owned(), "remove it");
        }
    }

    fn mapping(&mut self, id: &str, mapping: &Mapping) {
        if let LabelsFrom::Table(labels) = &mapping.labels
            && labels.len() > MAPPED_LABELS_MAX
        {
            let message = format!("`labels` has {} labels", labels.len());
            self.error(
                at!["integrations", id, "mapping", "labels"],
                message,
                "name at most 64",
            );
        }
        for (key, words) in [
            ("status-firing", &mapping.status_firing),
            ("status-resolved", &mapping.status_resolved),
        ] {
            if words.len() > STATUS_WORDS_MAX {
                let message = format!("{key} has {} words", words.len());
                self.error(
                    at!["integrations", id, "mapping", key],
                    message,
                    "keep at most 32",
                );
            }
        }
        let both = mapping
            .status_resolved
            .iter()
            .enumerate()
            .filter(|(_, word)| {
                mapping
                    .status_firing
                    .iter()
                    .any(|firing| firing.eq_ignore_ascii_case(word))
            });
        for (number, word) in both {
            let place = at!["integrations", id, "mapping", "status-resolved", number];
            let message = format!("status `{word}` means both firing and resolved");
            self.error(place, message, "remove it from one of the lists");
        }
    }
}
