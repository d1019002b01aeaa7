//! The operator's settings for this plugin, already validated against the manifest. Secrets are
//! not included: a plugin only refers to them by name.

use crate::host;
use serde_json::Value;
use std::collections::BTreeMap;

/// One setting as text; a default from the manifest counts as set. A list or a table is JSON.
#[must_use]
pub fn get(key: &str) -> Option<String> {
    host::config::get(key)
}

/// A setting of kind `table`; empty if it is not set.
#[must_use]
pub fn table(key: &str) -> BTreeMap<String, String> {
    let text = get(key).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

/// All settings as one JSON object, with their types.
#[must_use]
pub fn all() -> Value {
    serde_json::from_str(&host::config::all()).unwrap_or_default()
}

/// Whether the operator supplied a secret that the manifest names.
#[must_use]
pub fn has_secret(name: &str) -> bool {
    host::config::has_secret(name)
}
