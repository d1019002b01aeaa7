//! Grafana's alerting webhook: Alertmanager's payload with links and values.
//!
//! Source: Grafana's documentation of the webhook notifier. It differs from Alertmanager's by
//! `orgId` and `version: "1"`. Older payloads also have a `state` of `alerting` or `ok`, which
//! Grafana has deprecated; only `status` is used.

use serde_json::Value;
use tocsin_core::{Labels, Signal};

use super::alertmanager::parse_group;
use super::batch::Item;
use super::fields::{Object, take_optional_text};
use super::{Malformed, Parsed, Received};

/// The fields with links, and the annotations in which they are stored.
const LINKS: [(&str, &str); 4] = [
    ("dashboardURL", "dashboard_url"),
    ("panelURL", "panel_url"),
    ("silenceURL", "silence_url"),
    ("imageURL", "image_url"),
];
/// The annotation with the measured values.
const VALUES: &str = "values";

/// Parses a webhook from Grafana.
///
/// # Errors
/// When the body is not a JSON object, or `alerts` is not a list.
pub fn parse(body: &[u8], ctx: &Received) -> Result<Parsed, Malformed> {
    parse_group(body, ctx, finish)
}

fn finish(map: &mut Object, signal: &mut Signal, item: &mut Item<'_>) {
    let mut found = Labels::new();
    for (field, name) in LINKS {
        let link = take_optional_text(map, field, item)
            .and_then(|url| item.link(&format!("/{field}"), &url));
        if let Some(link) = link {
            found.insert(name.to_owned(), link);
        }
    }
    if signal.link.is_none() {
        let other = found
            .get("dashboard_url")
            .or_else(|| found.get("panel_url"));
        signal.link = other.cloned();
    }
    if let Some(text) = values(map) {
        found.insert(VALUES.to_owned(), text);
    }
    for (name, value) in found {
        signal.annotations.entry(name).or_insert(value);
    }
}

/// The measured values, as `A=1, B=44.2`; else Grafana's `valueString`.
fn values(map: &mut Object) -> Option<String> {
    if let Some(Value::Object(values)) = map.remove("values") {
        let pairs: Vec<_> = values
            .iter()
            .filter(|(_, value)| value.is_number())
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        if !pairs.is_empty() {
            return Some(pairs.join(", "));
        }
    }
    match map.remove("valueString") {
        Some(Value::String(text)) if !text.is_empty() => Some(text),
        _ => None,
    }
}
