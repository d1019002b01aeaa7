//! What happened to an incident. An incident is its events: its state, its log and its
//! post-mortem are read from them. Cases and fields are only ever added; a released shape is
//! kept readable by the store's upcasters.

mod fit;
mod opened;
mod traits;

use serde::{Deserialize, Serialize};

use crate::incident::Counts;
use crate::{Actor, Contact, Grade, PersonId, Plan, PolicySource, Timestamp};

pub use crate::log::{LogKind, Ref, UnknownLogKind};
pub use fit::EVENT_BYTES_MAX;
pub use opened::Opened;
pub use traits::{Effect, Told, Topic, Traits};

/// An event with when it happened and who did it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recorded {
    pub at: Timestamp,
    pub by: Actor,
    #[serde(flatten)]
    pub event: Event,
}

/// What happened to an incident.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data", rename_all = "kebab-case")]
pub enum Event {
    Opened(Box<Opened>),
    /// Its alerts were counted, at a bounded rate.
    Tallied {
        /// The exact counts at that time.
        counts: Counts,
        /// Titles of some that joined since the last tally.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        sample: Vec<String>,
    },
    /// It was graded anew.
    Graded {
        grade: Grade,
        /// Whether only people with clearance may know.
        security: bool,
        reason: String,
        /// The policy, unless a person graded it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        source: Option<PolicySource>,
    },
    /// A policy would grade it otherwise, but a person's grade stands.
    GradeProposed {
        /// The policy's grade.
        grade: Grade,
        reason: String,
    },
    /// It escalates by a new plan, from its first step.
    Planned {
        plan: Plan,
        reason: String,
        source: PolicySource,
    },
    /// A step of the plan was taken.
    Escalated {
        /// Which step, from 0.
        step: u32,
        /// How often the last step has been repeated.
        round: u32,
        /// When the next step follows unless somebody acknowledges.
        next_at: Timestamp,
        /// What was out of the ordinary, e.g. that nobody was on call.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    /// A person was paged.
    Paged {
        /// The page's number within the incident.
        page: u32,
        person: PersonId,
        /// How they are tried, in this order.
        contacts: Vec<Contact>,
        step: u32,
        /// When it goes to the next contact unless a channel has taken it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next_contact_at: Option<Timestamp>,
    },
    /// No channel took the page, so it goes to the next contact.
    PageRedirected {
        /// The page's number.
        page: u32,
        /// The contact's place in the page's list.
        contact: u32,
        reason: String,
        /// When it goes on to the one after.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next_contact_at: Option<Timestamp>,
    },
    /// The daemon was down while the page's contact had its time: it gets it anew.
    PageRebased {
        /// The page's number.
        page: u32,
        /// When it goes to the next contact.
        next_contact_at: Timestamp,
    },
    /// A channel took the page.
    PageTaken {
        /// The page's number.
        page: u32,
        /// The contact's place in the page's list.
        contact: u32,
        /// Whether an earlier try was cut off, so that the page may have come twice.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        interrupted: bool,
    },
    /// An attempt to bring the page ended without anybody knowing whether it arrived, and its
    /// channel has not said since that it took it. Once for each contact of a page.
    PageOutcomeUnknown {
        /// The page's number.
        page: u32,
        /// The contact's place in the page's list.
        contact: u32,
    },
    /// Nobody can be reached by any of the page's contacts; the escalation goes on.
    PageExhausted {
        /// The page's number.
        page: u32,
        /// What the last channel said.
        reason: String,
    },
    /// Somebody has it. The escalation stops.
    Acknowledged {
        /// Through what: `slack`, `mail`, `api`, `cli`.
        via: String,
    },
    /// Whoever had it gave it up. The escalation starts again.
    Unacknowledged {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// Somebody commands and operates.
    OperatorAssigned {
        person: PersonId,
    },
    /// Somebody wrote a line of the log.
    Logged {
        /// What kind of line.
        kind: LogKind,
        body: String,
    },
    /// The incident is called something elsewhere.
    Linked(Ref),
    /// The harm is stopped.
    Mitigated {
        reason: String,
    },
    /// The service is back.
    Resolved {
        /// Why it is believed to be.
        reason: String,
        /// The counts at that time.
        counts: Counts,
    },
    /// It was not over.
    Reopened {
        reason: String,
    },
    /// It was put away.
    Closed {},
}

impl Event {
    /// What holds for every event of this kind; without its line here none compiles.
    #[must_use]
    pub const fn traits(&self) -> Traits {
        use Topic::{Escalation, Grading, Incident, Lifecycle, Log, Paging, Roles};
        match self {
            Self::Opened(_) => Traits::of("opened", Incident),
            Self::Tallied { .. } => Traits::of("tallied", Incident).told(Told::Counts),
            Self::Graded { .. } => Traits::of("graded", Grading).change(),
            Self::GradeProposed { .. } => Traits::of("grade-proposed", Grading).change().unseen(),
            Self::Planned { .. } => Traits::of("planned", Escalation).change(),
            Self::Escalated { .. } => Traits::of("escalated", Escalation).change().unseen(),
            Self::Paged { .. } => Traits::of("paged", Paging),
            Self::PageRedirected { .. } => Traits::of("page-redirected", Paging).unseen(),
            Self::PageRebased { .. } => Traits::of("page-rebased", Paging),
            Self::PageTaken { .. } => Traits::of("page-taken", Paging),
            Self::PageOutcomeUnknown { .. } => Traits::of("page-outcome-unknown", Paging).unseen(),
            Self::PageExhausted { .. } => Traits::of("page-exhausted", Paging).change().unseen(),
            Self::Acknowledged { .. } => {
                Traits::of("acknowledged", Lifecycle).change().ends_paging()
            }
            Self::Unacknowledged { .. } => {
                let traits = Traits::of("unacknowledged", Lifecycle).change();
                traits.unseen().starts_again()
            }
            Self::OperatorAssigned { .. } => Traits::of("operator-assigned", Roles).change(),
            Self::Logged { .. } => Traits::of("logged", Log),
            Self::Linked(_) => Traits::of("linked", Log),
            Self::Mitigated { .. } => Traits::of("mitigated", Lifecycle).change(),
            Self::Resolved { .. } => Traits::of("resolved", Lifecycle).change().ends_paging(),
            Self::Reopened { .. } => Traits::of("reopened", Lifecycle).change().starts_again(),
            Self::Closed {} => Traits::of("closed", Lifecycle).change().ends_paging(),
        }
    }
}
