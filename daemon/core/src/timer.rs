//! Timers of incidents.

use serde::{Deserialize, Serialize};

use crate::promises::Audience;
use crate::roles::Role;
use crate::{IncidentId, Timestamp};

/// When an incident must be processed, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Timer {
    pub due: Timestamp,
    pub kind: TimerKind,
    pub incident: IncidentId,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TimerKind {
    /// The plan's next step.
    Escalation,
    /// A page goes to the next rung.
    Contact {
        page: u32,
        /// The first contact of the rung whose wait ends.
        contact: u32,
    },
    /// The fallback is paged, as nobody of a step can be reached.
    Fallback,
    /// The time of an acknowledgement's hold is over.
    Hold,
    /// A question expires.
    Prompt { prompt: u32 },
    /// A promised update is due, or soon will be.
    Promise { audience: Audience },
    /// Nobody has taken a task.
    Task { task: u32 },
    /// The policy is asked who takes the roles besides the operator.
    Respond,
    /// The next person is asked to take a role.
    Offer { role: Role },
    /// The counts are written to the stream.
    Tally,
    /// The incident resolves because nothing has fired for a while.
    Clear,
    /// Something that the standing verdicts were decided from has changed.
    Review,
    /// The incident reopens because an alert still fires.
    Reopen,
}
