//! `[store]`: where the database is.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The `[store]` section.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct StoreConfig {
    /// The folder of the database; created if missing. Default `data`.
    pub path: PathBuf,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self {
            path: "data".into(),
        }
    }
}
