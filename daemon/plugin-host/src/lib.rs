//! Runs WebAssembly plugins within limits and grants.
//!
//! This crate stands between the daemon and code that somebody else wrote. It knows nothing of
//! incidents: the daemon implements [`Services`], one trait a capability, loads plugins with a
//! [`PluginGrant`], and gets back from every call an outcome, the jobs to commit, and a report that
//! names plugin, export, limit and remedy when something went wrong. The failures it prevents: a
//! guest that spins, allocates or floods takes the daemon down; a guest reaches where it
//! may not; a guest learns a secret; an outside effect happens twice unreported.

#![deny(unsafe_code)]

mod call;
pub mod capability;
mod code;
mod event_kind;
#[cfg(any(test, feature = "guests"))]
#[path = "tests/guests.rs"]
pub mod guests;
mod keys;
mod net;
mod rights;
mod text;
pub mod wit;

pub use call::{
    CallResult, CheckedWebhook, CodeOrigin, Failure, LoadedPlugin, TrapReport, VerifyError,
    WebhookCall, verify,
};
pub use capability::{CallStats, EnqueuedJob, HttpTrace, LogLine, Services};
pub use code::{
    CatalogEntry, Checked, EngineError, HostConfig, HostError, LoadError, PluginHost, PluginState,
    ScheduleEntry,
};
pub use event_kind::{EventKind, UnknownEventKind};
pub use keys::delivery_key;
pub use rights::{
    Denied, GlobalPolicy, Grants, Layer, LimitRequest, Limits, Network, PluginGrant, RightKind,
    RightState, Schedule, ScheduleError, SecretSource, manifest,
};

#[cfg(test)]
mod tests;
