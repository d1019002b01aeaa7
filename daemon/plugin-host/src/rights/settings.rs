//! Checks the operator's settings against the manifest before the guest sees them.

use super::grants::PluginGrant;
use super::manifest::{Manifest, OriginAsk};
use std::collections::BTreeMap;

/// Validated settings, with defaults filled in.
pub(crate) type Settings = BTreeMap<String, toml::Value>;

/// Checks settings and secrets of a grant against the manifest. Returns the settings with
/// defaults filled in, or all faults.
pub(crate) fn check_settings(
    id: &str,
    manifest: &Manifest,
    grant: &PluginGrant,
) -> Result<Settings, Vec<String>> {
    let checked = check(id, manifest, &grant.settings);
    let mut faults = checked.as_ref().err().cloned().unwrap_or_default();
    for ask in &manifest.secrets {
        match grant.secrets.get(&ask.name) {
            None if ask.optional => {}
            None => faults.push(format!(
                "[plugins.{id}] secrets.{} is missing ({}); write {{ env = \"VARIABLE\" }} or \
                 {{ file = \"/path\" }}",
                ask.name, ask.help
            )),
            Some(source) => faults.extend(
                source
                    .read(&ask.name)
                    .err()
                    .map(|error| format!("[plugins.{id}] {error}")),
            ),
        }
    }
    if let Ok(settings) = &checked {
        faults.extend(unusable_origins(id, manifest, settings));
    }
    for name in grant.secrets.keys() {
        if !manifest.secrets.iter().any(|ask| ask.name == *name) {
            faults.push(format!(
                "[plugins.{id}] secrets.{name} is not a secret of this plugin"
            ));
        }
    }
    match checked {
        Ok(settings) if faults.is_empty() => Ok(settings),
        _ => Err(faults),
    }
}

/// Faults of settings that are the origin of an outbound right but not a usable URL.
fn unusable_origins(id: &str, manifest: &Manifest, settings: &Settings) -> Vec<String> {
    let mut faults = Vec::new();
    for ask in &manifest.http {
        let OriginAsk::Setting(key) = &ask.origin else {
            continue;
        };
        let Some(text) = settings.get(key).and_then(toml::Value::as_str) else {
            continue;
        };
        let usable = url::Url::parse(text)
            .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        if !usable {
            faults.push(format!(
                "[plugins.{id}] settings.{key} is not an http or https URL: `{}`",
                text.escape_debug()
            ));
        }
    }
    faults
}

/// Checks `given` against the manifest and returns all faults.
fn check(plugin: &str, manifest: &Manifest, given: &toml::Table) -> Result<Settings, Vec<String>> {
    let mut faults = Vec::new();
    let mut settings = Settings::new();
    for ask in &manifest.config {
        match given.get(&ask.key).or(ask.default.as_ref()) {
            Some(value) if ask.kind.accepts(value) => {
                settings.insert(ask.key.clone(), value.clone());
            }
            Some(_) => faults.push(format!(
                "[plugins.{plugin}] settings.{} must be of type {}",
                ask.key, ask.kind
            )),
            None if !ask.required => {}
            None => faults.push(format!(
                "[plugins.{plugin}] settings.{} is missing: {}",
                ask.key,
                if ask.help.is_empty() {
                    "it is required"
                } else {
                    &ask.help
                }
            )),
        }
    }
    for key in given.keys() {
        if !manifest.config.iter().any(|ask| ask.key == *key) {
            let known: Vec<_> = manifest.config.iter().map(|ask| ask.key.as_str()).collect();
            faults.push(format!(
                "[plugins.{plugin}] settings.{key} is not a setting of this plugin; it has: {}",
                if known.is_empty() {
                    "none".to_owned()
                } else {
                    known.join(", ")
                }
            ));
        }
    }
    if faults.is_empty() {
        Ok(settings)
    } else {
        Err(faults)
    }
}

/// Whether a setting is more than there.
pub(crate) fn means_something(value: &toml::Value) -> bool {
    match value {
        toml::Value::String(text) => !text.is_empty(),
        toml::Value::Boolean(truth) => *truth,
        toml::Value::Array(items) => !items.is_empty(),
        toml::Value::Table(entries) => !entries.is_empty(),
        _ => true,
    }
}

/// One JSON object with all settings.
pub(crate) fn all_as_json(settings: &Settings) -> String {
    let map = settings
        .iter()
        .map(|(key, value)| (key.clone(), to_json(value)));
    serde_json::Value::Object(map.collect()).to_string()
}

pub(crate) fn to_json(value: &toml::Value) -> serde_json::Value {
    match value {
        toml::Value::String(text) => text.clone().into(),
        toml::Value::Integer(number) => (*number).into(),
        toml::Value::Float(number) => (*number).into(),
        toml::Value::Boolean(truth) => (*truth).into(),
        toml::Value::Datetime(at) => at.to_string().into(),
        toml::Value::Array(items) => items.iter().map(to_json).collect(),
        toml::Value::Table(table) => {
            let map = table
                .iter()
                .map(|(key, value)| (key.clone(), to_json(value)));
            serde_json::Value::Object(map.collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = r#"
schema = 1
id = "p"
version = "0.1.0"
name = "P"
[[config]]
key = "channels"
kind = "list"
required = true
[[config]]
key = "count"
kind = "integer"
default = 3
[[config]]
key = "note"
kind = "string"
[[config]]
key = "components"
kind = "table"
"#;

    fn run(settings: &str) -> Result<String, Vec<String>> {
        let manifest = Manifest::parse(MANIFEST).unwrap();
        check("p", &manifest, &settings.parse().unwrap()).map(|settings| all_as_json(&settings))
    }

    #[test]
    fn defaults_are_filled_in_and_all_faults_are_reported_at_once() {
        assert_eq!(
            run("channels = [\"a\"]").unwrap(),
            r#"{"channels":["a"],"count":3}"#
        );
        let faults = run("count = \"x\"\nchanels = []").unwrap_err();
        assert_eq!(faults.len(), 3, "{faults:?}");
        assert!(
            faults[2].contains("settings.chanels is not a setting"),
            "{faults:?}"
        );
    }

    #[test]
    fn a_table_has_strings_only() {
        let good = run("channels = []\ncomponents = { checkout = \"abc\" }").unwrap();
        assert_eq!(
            good,
            r#"{"channels":[],"components":{"checkout":"abc"},"count":3}"#
        );
        for bad in ["components = { checkout = 1 }", "components = \"abc\""] {
            let faults = run(&format!("channels = []\n{bad}")).unwrap_err();
            let says = "[plugins.p] settings.components must be of type table of strings";
            assert_eq!(faults, [says], "{bad}");
        }
    }
}
