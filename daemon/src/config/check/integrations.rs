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
