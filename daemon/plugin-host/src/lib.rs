//! Runs WebAssembly plugins within limits and grants.
//!
//! This crate isolates the daemon from third-party code. It is independent of incidents: the daemon
//! implements [`Services`], one trait per capability, and loads plugins with a [`PluginGrant`].
//! Every call returns an outcome, the jobs to commit, and on failure a report with plugin, export,
//! limit and remedy. It prevents these failures: a guest that spins, allocates or floods takes the
//! daemon down; a guest accesses what it may not; a guest learns a secret; an external effect
//! happens twice unreported.

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
    CallResult, CheckedWebhook, CodeOrigin, Failure, LoadedPlugin, Received, SocketError,
    TrapReport, VerifyError, WebhookCall, verify,
};
pub use capability::{CallStats, EnqueuedJob, HttpTrace, LogLine, Services};
pub use code::{
    AddressForm, CatalogEntry, Checked, EngineError, HostConfig, HostError, LoadError, PluginHost,
    PluginState, ScheduleEntry,
};
pub use event_kind::{EventKind, UnknownEventKind};
pub use keys::delivery_key;
pub use net::{Incoming, Socket};
pub use rights::{
    Denied, DeniedBy, GlobalPolicy, Grants, LimitRequest, Limits, Network, PluginGrant, RightKind,
    RightState, Schedule, ScheduleError, SecretSource, manifest,
};

#[cfg(test)]
mod tests;
