//! What there is to tell of an incident.

use serde::{Deserialize, Serialize};

use crate::PersonId;

/// Something to tell: a reference, not a payload. The payload is built when it is delivered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "notice", rename_all = "kebab-case")]
pub enum Notice {
    /// The incident began.
    Opened {
        /// The version that it had then.
        version: u64,
    },
    /// The incident changed.
    Changed {
        /// The version before.
        from: u64,
        /// The version after.
        to: u64,
        /// Whether only its counts changed: then a newer one replaces it.
        counts_only: bool,
    },
    /// Somebody wrote a line of the log.
    LogAdded {
        /// The version of its event.
        version: u64,
    },
    /// Wake a person up.
    Page {
        page: u32,
        contact: u32,
        person: PersonId,
        /// The contact's kind.
        channel: String,
    },
    /// A page needs no answer any more.
    Settled {
        page: u32,
        /// Whom it went to.
        person: PersonId,
        /// The kind of the contact that took it.
        channel: String,
    },
}
