//! Loaded plugins and policies, and the daemon's health.

use serde::{Deserialize, Serialize};
use tocsin_plugin_host::CatalogEntry;
use tocsin_policy::Reports;
use utoipa::ToSchema;

use crate::health::{Check, Level};

#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct PluginList {
    /// The loaded plugins: ID, version, state, rights, limits, last fault.
    #[schema(value_type = Vec<Object>)]
    pub(crate) plugins: Vec<CatalogEntry>,
    /// The plugins that could not be loaded.
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
    /// The hash of the set in force; null when none ever loaded, so that every alert pages the
    /// fallback.
    pub(crate) hash: Option<String>,
    /// The folder of the policies.
    pub(crate) path: String,
    /// What is currently wrong in the folder.
    #[schema(value_type = Vec<Object>)]
    pub(crate) faults: Reports,
    /// The same as text, for a terminal.
    pub(crate) text: Option<String>,
}

/// The daemon's health.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Health {
    /// The worst level of the checks.
    pub(crate) level: Level,
    /// When the checks ran.
    pub(crate) at: String,
    /// All checks, worst first.
    pub(crate) checks: Vec<Check>,
}
