//! Denials: a missing right, and what would grant it.
//!
//! A denial includes the line of TOML that would lift it, for the file of whoever can do that.

use serde::{Deserialize, Serialize};
use std::fmt;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeniedBy {
    /// The manifest does not ask for it.
    Manifest,
    /// The operator has not granted it.
    Grant,
    /// The daemon's policy for all plugins forbids it.
    Global,
    /// The host never allows it.
    Host,
}

/// A right that a plugin does not have, with the remedy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denied {
    pub plugin: String,
    /// The denied action, such as ``open `https://a.example` ``.
    pub what: String,
    pub layer: DeniedBy,
    /// The line of TOML that would grant it, or why nothing would.
    pub remedy: String,
}

impl Denied {
    /// A right that the manifest does not ask for; `toml` would ask for it.
    pub(crate) fn unasked(plugin: &str, what: String, toml: &str) -> Self {
        Self {
            plugin: plugin.to_owned(),
            what,
            layer: DeniedBy::Manifest,
            remedy: format!("its manifest does not ask for it; plugin.toml would need: {toml}"),
        }
    }
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "plugin `{}` may not {}: {}",
            self.plugin, self.what, self.remedy
        )
    }
}

impl std::error::Error for Denied {}

pub(crate) fn toml_list<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let quoted: Vec<String> = names
        .map(|name| toml::Value::String(name.to_owned()).to_string())
        .collect();
    format!("[{}]", quoted.join(", "))
}
