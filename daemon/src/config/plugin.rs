//! `[plugins.ID]`: a plugin, its settings, and the rights granted of those that its manifest
//! requests. The plugin host reads the section; only its paths and secrets are handled here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::secret::SecretRef;

/// One `[plugins.ID]` section, with its paths joined to the configuration's folder. Contains no
/// secret: `secrets` names their locations.
pub type PluginTable = toml::Table;

/// The keys with paths.
#[derive(Deserialize)]
pub(super) struct PluginPlaces {
    path: PathBuf,
    #[serde(default)]
    secrets: BTreeMap<String, SecretRef>,
}

/// Joins the section's paths to the configuration's folder.
pub(super) fn base_on(table: &mut PluginTable, places: PluginPlaces, folder: &Path) {
    let path = folder.join(places.path);
    table.insert(
        "path".to_owned(),
        path.to_string_lossy().into_owned().into(),
    );
    for (name, mut place) in places.secrets {
        place.base_on(folder);
        let SecretRef::File(path) = place else {
            continue;
        };
        let place = toml::Table::from_iter([(
            "file".to_owned(),
            toml::Value::from(path.to_string_lossy().into_owned()),
        )]);
        if let Some(secrets) = table.get_mut("secrets").and_then(toml::Value::as_table_mut) {
            secrets.insert(name, place.into());
        }
    }
}
