//! The data types of the plugin interface in `wit/plugin.wit`, with helpers.

pub use crate::bindings::exports::tocsin::plugin::handler::{
    Descriptor, HealthReport, Issue, Tick, WebhookRequest, WebhookResponse,
};
pub use crate::bindings::tocsin::plugin::jobs::Options as JobOptions;
pub use crate::bindings::tocsin::plugin::log::{Field, Level};
pub use crate::bindings::tocsin::plugin::types::{
    Actor, Audience, Choice, Delivery, Document, Event, EventBody, ExternalRef, Fact, Failure,
    Grade, Incident, IncidentChange, Job, Json, Label, Link, LogEntry, LogKind, OtherEvent,
    Outcome, Page, PageItem, PageLine, Person, Promise, Prompt, Receipt, RetryHint, Settled,
    Status, Timestamp, Update,
};

impl Person {
    /// This person's first contact of a kind, e.g. `contact("slack")`.
    #[must_use]
    pub fn contact(&self, kind: &str) -> Option<&str> {
        let found = self.contacts.iter().find(|it| it.key == kind)?;
        Some(&found.value)
    }
}

impl Actor {
    /// An actor by their id in a channel; the host resolves it through people's contacts.
    #[must_use]
    pub fn by_contact(kind: &str, id: &str) -> Self {
        Actor {
            kind: kind.into(),
            id: id.into(),
            display_name: None,
        }
    }
}

impl Grade {
    /// In lower case, as in chat and the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Grade::Minor => "minor",
            Grade::Major => "major",
            Grade::Critical => "critical",
        }
    }
}

impl Status {
    /// In lower case, as in chat and the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Open => "open",
            Status::Mitigated => "mitigated",
            Status::Resolved => "resolved",
            Status::Closed => "closed",
        }
    }
}
