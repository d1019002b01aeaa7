//! When an incident wants to be looked at again.

use serde::{Deserialize, Serialize};

use crate::{IncidentId, Timestamp};

/// A timer of an incident.
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
    /// A page goes to the next contact.
    Contact {
        page: u32,
        /// The contact whose time is up.
        contact: u32,
    },
    /// The stream gets the counts.
    Tally,
    /// Nothing has fired for a while.
    Clear,
}
