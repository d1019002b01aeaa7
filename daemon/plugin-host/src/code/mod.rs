//! Loading, compiling and caching plugins, and the catalog of loaded ones.

mod cache;
mod catalog;
mod compile;
mod engine;
mod error;
mod folder;
mod host;
mod load;
mod warnings;

pub use catalog::{CatalogEntry, PluginState, ScheduleEntry};
pub use engine::EngineError;
pub use error::{HostError, LoadError};
pub use host::{AddressForm, Checked, HostConfig, PluginHost};

#[cfg(test)]
pub(crate) use engine::start as start_engine;
