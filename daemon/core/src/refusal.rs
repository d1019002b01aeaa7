//! Why a command is not carried out.

use crate::Status;

/// Why a command is not carried out.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum Refusal {
    /// The incident's status does not allow it.
    #[error("incident {number} is {status}; {remedy}")]
    NotActive {
        number: u64,
        status: Status,
        /// What to do instead.
        remedy: &'static str,
    },
    /// The timer, page or count that the command refers to is outdated.
    #[error("{0} is no longer current; nothing to do")]
    Stale(&'static str),
    /// A text is missing or too long.
    #[error("{0}")]
    Invalid(String),
    /// The incident has the security flag, which the caller may not remove.
    #[error("only a person with clearance may remove the security flag")]
    Classified,
    /// There is no such alert, or its incident has the security flag and the caller may not see it.
    #[error(
        "there is no alert with this integration and fingerprint; `tocsin alert list` shows the \
         alerts"
    )]
    Unseen,
    /// The state has changed so that a policy must be evaluated first.
    #[error("a policy's verdict is needed first")]
    NeedsVerdict,
    /// The responders were looked up for another step than the one that is due.
    #[error("another step of the escalation is due; its responders must be looked up first")]
    OtherStep,
}

impl Refusal {
    /// For whoever typed the command in a chat, with what to type instead.
    #[must_use]
    pub fn in_chat(&self) -> String {
        match self {
            Self::NotActive { status, .. } if !status.is_active() => {
                format!("{self}; `status` outside of a war room lists what is open")
            }
            _ => self.to_string(),
        }
    }
}
