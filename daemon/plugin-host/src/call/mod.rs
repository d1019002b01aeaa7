//! Calls of plugins: concurrency, time and memory limits, results, and the quarantine of plugins
//! that keep failing.

mod generation;
mod lanes;
mod memory;
mod plugin;
mod quarantine;
mod result;
mod socket;
mod state;
mod trap;
mod verify;
mod webhook;

pub use generation::CodeOrigin;
pub use plugin::LoadedPlugin;
pub use result::{CallResult, Failure, TrapReport};
pub use socket::SocketError;
pub use verify::{Received, VerifyError, verify};
pub use webhook::{CheckedWebhook, WebhookCall};

pub(crate) use generation::{Call, Code, Generation, Guest};
pub(crate) use lanes::{LaneKind, Lanes};
pub(crate) use plugin::Slot;
pub(crate) use state::CallState;
pub(crate) use trap::STACK_BYTES_MAX;

#[cfg(test)]
pub(crate) use lanes::CALLS_PER_LANE;
#[cfg(test)]
pub(crate) use memory::STORE_ITEMS_MAX;
#[cfg(test)]
pub(crate) use quarantine::{BACKOFF_MS_MIN, FAULTS_MAX};
