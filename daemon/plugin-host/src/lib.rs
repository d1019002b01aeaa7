//! Runs WebAssembly plugins within limits and grants.
//!
//! This crate stands between the daemon and code that somebody else wrote. It knows nothing of
//! incidents: the daemon implements [`services::Services`], loads plugins with a
//! [`grant::PluginGrant`], and gets back from every call an outcome, the jobs to commit, and a
//! report that names plugin, export, limit and remedy when something went wrong. The failures it
//! prevents: a guest that spins, allocates or floods takes the daemon down with it; a guest reaches
//! where it may not; a guest learns a secret; an outside effect happens twice and nobody says so.

#![deny(unsafe_code)]

mod aot;
pub mod call;
pub mod catalog;
mod engine;
mod generation;
pub mod grant;
#[cfg(any(test, feature = "guests"))]
#[path = "tests/guests.rs"]
pub mod guests;
mod host;
mod keys;
pub mod limits;
mod load;
pub mod manifest;
mod meter;
mod net;
pub mod outbound;
mod plugin;
pub mod quarantine;
pub mod quota;
mod rate;
mod registry;
pub mod schedule;
pub mod secrets;
pub mod services;
mod settings;
mod state;
mod store_limits;
mod trap;
pub mod verify;
pub mod wit;

pub use aot::CodeOrigin;
pub use call::{CallResult, CallStats, EnqueuedJob, Failure, HttpTrace, LogLine, TrapReport};
pub use catalog::{CatalogEntry, PluginState};
pub use engine::EngineError;
pub use grant::{Denied, GlobalPolicy, Grants, PluginGrant};
pub use keys::delivery_key;
pub use load::LoadError;
pub use plugin::{CheckedWebhook, LoadedPlugin, WebhookCall, event_kind};
pub use registry::{HostConfig, HostError, PluginHost};
pub use services::Services;

#[cfg(test)]
mod tests;
