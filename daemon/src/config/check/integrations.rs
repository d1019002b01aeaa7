//! Integrations and the mappings of generic ones.

use super::Check;
use crate::config::integration::{
    LabelMapping, MAPPED_LABELS_MAX, Mapping, POINTER_BYTES_MAX, STATUS_WORDS_MAX,
};
use crate::config::source::at;
use crate::config::{IntegrationConfig, IntegrationKind};

impl Check<'_> {
    pub(super) fn integrations(&mut self) {
        let config = self.config;
        for (id, integration) in &config.integrations {
            self.integration(id.as_str(), integration);
        }
    }

    fn integration(&mut self, id: &str, integration: &IntegrationConfig) {
        match (integration.kind, &integration.mapping) {
            (IntegrationKind::Generic, Some(mapping)) => self.mapping(id, mapping),
            (IntegrationKind::Generic, None) => self.error(
                at!["integrations", id, "kind"],
                format!("integration `{id}` is generic and has no mapping"),
                &format!(
                    "add [integrations.{id}.mapping] with JSON pointers, at least \
                     fingerprint = \"/…\" and title = \"/…\""
                ),
            ),
            (_, Some(_)) => self.error(
                at!["integrations", id, "mapping"],
                format!("integration `{id}` has a known format, so its mapping is not used"),
                "remove the mapping, or set kind = \"generic\"",
            ),
            (_, None) => {}
        }
    }

    fn mapping(&mut self, id: &str, mapping: &Mapping) {
        for (key, pointer) in mapping.pointers() {
            if is_pointer(pointer) {
                continue;
            }
            let message = format!("`{pointer}` is not a JSON pointer");
            let remedy = "write it as \"/alert/id\"; in a name, ~0 stands for ~ and ~1 for /";
            self.error(at!["integrations", id, "mapping", key], message, remedy);
        }
        if let Some(LabelMapping::Each(labels)) = &mapping.labels
            && labels.len() > MAPPED_LABELS_MAX
        {
            let message = format!("labels names {} labels", labels.len());
            self.error(at!["integrations", id, "mapping", "labels"], message, "name at most 64");
        }
        for (key, words) in [
            ("status-firing", &mapping.status_firing),
            ("status-resolved", &mapping.status_resolved),
        ] {
            if words.len() > STATUS_WORDS_MAX {
                let message = format!("{key} has {} words", words.len());
                self.error(at!["integrations", id, "mapping", key], message, "keep at most 32");
            }
        }
        let both = mapping.status_resolved.iter().enumerate().filter(|(_, word)| {
            mapping.status_firing.iter().any(|firing| firing.eq_ignore_ascii_case(word))
        });
        for (number, word) in both {
            let place = at!["integrations", id, "mapping", "status-resolved", number];
            let message = format!("status `{word}` means both firing and resolved");
            self.error(place, message, "remove it from one of the lists");
        }
    }
}

/// RFC 6901: empty, or `/`-separated names in which `~` is escaped.
fn is_pointer(pointer: &str) -> bool {
    let escaped = |(at, _): (usize, &str)| {
        pointer[at + 1..].starts_with('0') || pointer[at + 1..].starts_with('1')
    };
    pointer.len() <= POINTER_BYTES_MAX
        && (pointer.is_empty() || pointer.starts_with('/'))
        && pointer.match_indices('~').all(escaped)
}
