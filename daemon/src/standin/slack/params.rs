//! A request's parameters: from the query, a form or a JSON object, all as text, as in Slack.

use std::collections::BTreeMap;

use serde_json::Value;

/// Parameters by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Params(pub(super) BTreeMap<String, String>);

impl Params {
    /// Adds `a=b&c=d`.
    pub(super) fn add_form(&mut self, text: &str) -> Result<(), &'static str> {
        let pairs: Vec<(String, String)> =
            serde_urlencoded::from_str(text).map_err(|_| "invalid_form_data")?;
        self.0.extend(pairs);
        Ok(())
    }

    /// Adds the members of a JSON object; nested values become JSON text.
    pub(super) fn add_json(&mut self, text: &[u8]) -> Result<(), &'static str> {
        let value: Value = serde_json::from_slice(text).map_err(|_| "invalid_json")?;
        let Value::Object(members) = value else {
            return Err("json_not_object");
        };
        for (name, value) in members {
            let text = match value {
                Value::String(text) => text,
                other => other.to_string(),
            };
            self.0.insert(name, text);
        }
        Ok(())
    }

    /// The parameter's text; absent when empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|it| !it.is_empty())
    }

    /// The parameter's text, or empty.
    pub(super) fn text(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default()
    }

    /// Whether the parameter is true.
    pub(super) fn yes(&self, name: &str) -> bool {
        matches!(self.text(name), "true" | "1")
    }

    /// A comma-separated list.
    pub(super) fn list(&self, name: &str) -> Vec<String> {
        self.text(name)
            .split(',')
            .map(str::trim)
            .filter(|it| !it.is_empty())
            .map(str::to_owned)
            .collect()
    }
}
