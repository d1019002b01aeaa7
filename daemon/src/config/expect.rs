//! `expect` of an integration: alerts that its sender sends all the time, to show that it works.

use std::fmt;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use tocsin_core::Labels;

use super::text::Span;

/// Most expected alerts of one sender.
pub const EXPECTED_MAX: usize = 16;
/// Longest names and values of an expected alert's labels together, in bytes: they identify it.
pub(super) const EXPECTED_BYTES_MAX: usize = 200;
/// Shortest and longest `every`.
pub(super) const EVERY_MIN: Span = Span::from_s(30);
pub(super) const EVERY_MAX: Span = Span::from_s(7 * 24 * 3600);

/// One expected alert, such as `{ labels = { alertname = "Watchdog" }, every = "5m" }`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ExpectConfig {
    /// The labels by which it is recognized; at least one, of 200 bytes together.
    pub labels: Labels,
    /// How often it is sent at least, `"30s"` to `"7d"`. When it has not come for a minute longer
    /// than that, its dead man's switch opens an incident.
    pub every: Span,
}

impl ExpectConfig {
    /// Whether a name or a value has control characters, which a key must not have.
    pub(super) fn has_control(&self) -> bool {
        let mut texts = self.labels.iter().flat_map(|(name, value)| [name, value]);
        texts.any(|it| it.chars().any(char::is_control))
    }

    /// The bytes of its labels, as `name=value` with a separator.
    pub(super) fn bytes(&self) -> usize {
        let labels = self.labels.iter();
        labels
            .map(|(name, value)| name.len() + value.len() + 2)
            .sum()
    }
}

/// The expected alerts: one table, or a list of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Expected(pub Vec<ExpectConfig>);

impl<'de> Deserialize<'de> for Expected {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(OneOrMany)
    }
}

struct OneOrMany;

impl<'de> Visitor<'de> for OneOrMany {
    type Value = Expected;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table `{ labels = { … }, every = \"5m\" }` or a list of them")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Expected, A::Error> {
        let one = ExpectConfig::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Expected(vec![one]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Expected, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(seq)).map(Expected)
    }
}
