//! What is loaded, and how the daemon does.

use serde::{Deserialize, Serialize};
use tocsin_plugin_host::CatalogEntry;
use tocsin_policy::Reports;
use utoipa::ToSchema;

use crate::health::{Check, Level};

#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct PluginList {
    /// Those that are loaded: id, version, state, rights, limits, last fault.
    #[schema(value_type = Vec<Object>)]
    pub(crate) plugins: Vec<CatalogEntry>,
    /// Those that could not be loaded.
    pub(crate) faults: Vec<PluginFault>,
}

/// A plugin that could not be loaded.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct PluginFault {
    pub(crate) plugin: String,
    /// Why, with the remedy.
    pub(crate) why: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PolicyState {
    /// The hash of the set in force; none when none ever loaded, so that every alert pages by
    /// the fallback.
    pub(crate) hash: Option<String>,
    /// Where they are read from.
    pub(crate) path: String,
    /// What is wrong with the folder now.
    #[schema(value_type = Vec<Object>)]
    pub(crate) faults: Reports,
    /// The same as text for a terminal.
    pub(crate) text: Option<String>,
}

/// How the daemon does.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Health {
    /// The worst level below.
    pub(crate) level: Level,
    /// When it was checked.
    pub(crate) at: String,
    /// Everything that was checked, the worst first.
    pub(crate) checks: Vec<Check>,
}
