//! Why a command is not carried out.

use crate::Status;

/// Why a command is not carried out.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum Refusal {
    /// The incident is past it.
    #[error("incident {number} is {status}; {remedy}")]
    NotActive {
        /// The incident's number.
        number: u64,
        /// Where it stands.
        status: Status,
        /// What to do instead.
        remedy: &'static str,
    },
    /// The timer, page or count that the command speaks of has moved on.
    #[error("{0} has moved on; nothing to do")]
    Stale(&'static str),
    /// A text is missing or too long.
    #[error("{0}")]
    Invalid(String),
    /// The state has changed so that a policy must be asked first.
    #[error("a policy's verdict is needed first")]
    NeedsVerdict,
}
