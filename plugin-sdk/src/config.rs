//! The operator's settings for this plugin, already validated against the manifest. Secrets are
//! not included: a plugin only refers to them by name.

use crate::host;
use serde_json::Value;

/// One setting as text; a default from the manifest counts as set.
#[must_use]
pub fn get(key: &str) -> Option<String> {
    host::config::get(key)
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
