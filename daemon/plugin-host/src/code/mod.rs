//! From a plugin's folder to code that runs, and the list of what is loaded.

mod cache;
mod catalog;
mod compile;
mod engine;
mod error;
mod folder;
mod host;
mod load;

pub use catalog::{CatalogEntry, PluginState, ScheduleEntry};
pub use engine::EngineError;
pub use error::{HostError, LoadError};
pub use host::{Checked, HostConfig, PluginHost};

#[cfg(test)]
pub(crate) use engine::start as start_engine;
