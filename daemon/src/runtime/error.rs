//! The errors of the runtime.

use tocsin_core::command::Refusal;
use tocsin_store::{CommitError, StoreError};

/// Why the engine did not carry out a request. Nothing of it is durable, except for its cause: a
/// timer that fired too late is still cancelled.
#[derive(Clone, Debug, thiserror::Error)]
pub enum EngineError {
    /// The core refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// There is no such incident.
    #[error("there is no incident {0}; `tocsin incident list` shows the incidents")]
    NoIncident(String),
    /// The store refused this request.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// The store failed; the daemon is about to stop.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Something stored cannot be read.
    #[error("{0}; run `tocsin verify`")]
    Damaged(String),
    /// The engine's queue is full.
    #[error("the engine's queue is full; try again in a second")]
    Overloaded,
    /// The daemon is stopping.
    #[error("the daemon is stopping")]
    Stopping,
}
