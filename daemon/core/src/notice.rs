//! Notices: what plugins and people must be told about an incident.

use serde::{Deserialize, Serialize};

use crate::PersonId;
use crate::prompts::Question;

/// A reference to what must be told; the payload is built at delivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "notice", rename_all = "kebab-case")]
pub enum Notice {
    Opened {
        /// The incident's version then.
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
    /// Somebody added a log entry.
    LogAdded {
        /// The version of its event.
        version: u64,
    },
    /// Somebody told an audience how it goes.
    UpdatePosted {
        /// The version of its event.
        version: u64,
    },
    /// A person must be paged.
    Page {
        page: u32,
        contact: u32,
        person: PersonId,
        /// The contact's kind.
        channel: String,
    },
    /// A person is asked something.
    Prompt {
        prompt: u32,
        contact: u32,
        person: PersonId,
        /// The contact's kind.
        channel: String,
        question: Question,
    },
    /// A question needs no answer any more.
    PromptSettled {
        prompt: u32,
        person: PersonId,
        /// The kind of the contact that accepted it.
        channel: String,
        /// The contact's place in the question's list.
        contact: u32,
    },
    /// A page needs no answer any more.
    Settled {
        page: u32,
        /// Who was paged.
        person: PersonId,
        /// The kind of the contact that accepted it.
        channel: String,
        /// The contact's place in the page's list.
        #[serde(default)]
        contact: u32,
    },
}
