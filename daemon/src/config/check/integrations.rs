//! Checks of integrations and mappings.

use super::Check;
use crate::config::integration::{MAPPED_LABELS_MAX, STATUS_WORDS_MAX};
use crate::config::source::at;
use crate::config::{IntegrationConfig, IntegrationKind, LabelsFrom, Mapping};

impl Check<'_> {
    pub(super) fn integrations(&mut self) {
        let config = self.config;
        for (id, integration) in &config.integrations {
            self.integration(id.as_str(), integration);
        }
    }

    fn integration(&mut self, id: &str, integration: &IntegrationConfig) {
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
