//! Errors of starting the host and of loading a plugin.

use super::engine::EngineError;
use crate::call::Failure;
use crate::rights::manifest::ManifestFaults;
use crate::wit::Issue;
use std::path::PathBuf;

/// Why the host could not start.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error("the plugin interface cannot be linked: {0}")]
    Link(String),
    #[error("the plugin threads cannot start: {0}")]
    Threads(#[from] std::io::Error),
}

/// Why a plugin is not loaded. The message names the file and the remedy.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LoadError {
    /// A file cannot be read.
    #[error("{path}: {reason}")]
    Read { path: PathBuf, reason: String },
    /// The manifest has faults.
    #[error("{path}:\n{faults}")]
    Manifest {
        path: PathBuf,
        faults: ManifestFaults,
    },
    /// The configuration and the manifest have different ids.
    #[error(
        "[plugins.{configured}] has the path {path}, whose plugin.toml says id = \"{found}\"; \
         the two must be the same"
    )]
    Id {
        configured: String,
        found: String,
        path: PathBuf,
    },
    /// Settings or secrets have faults.
    #[error("{}", .0.join("\n"))]
    Settings(Vec<String>),
    /// The component does not compile.
    #[error("{path} is not a component that can be compiled: {reason}")]
    Compile { path: PathBuf, reason: String },
    /// The component does not match the interface.
    #[error("plugin `{plugin}` is not compatible with this daemon: {reason}")]
    Interface {
        plugin: String,
        /// Includes the remedy.
        reason: String,
    },
    /// The component and its manifest disagree.
    #[error("plugin `{plugin}`: plugin.wasm and plugin.toml differ: {reason}; build both together")]
    Describe { plugin: String, reason: String },
    /// The plugin rejected its settings.
    #[error("plugin `{plugin}` does not accept its settings:\n{}", issue_lines(.issues))]
    Config {
        plugin: String,
        /// Each with the setting's path.
        issues: Vec<Issue>,
    },
    /// A call while loading failed.
    #[error("{0}")]
    Call(Failure),
}

fn issue_lines(issues: &[Issue]) -> String {
    let line = |issue: &Issue| format!("  {}: {}", issue.path, issue.message);
    issues.iter().map(line).collect::<Vec<_>>().join("\n")
}
