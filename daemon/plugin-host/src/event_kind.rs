//! The kinds of events that plugins receive: the cases of `event-body`, by their names in
//! manifests, grants and descriptors.

use crate::wit::EventBody;
use std::fmt;
use std::str::FromStr;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventKind {
    IncidentOpened,
    IncidentChanged,
    UpdatePosted,
    LogAdded,
    Page,
    Prompt,
    DocumentReady,
    Settled,
    Job,
    Other,
}

impl EventKind {
    pub const ALL: [Self; 10] = [
        Self::IncidentOpened,
        Self::IncidentChanged,
        Self::UpdatePosted,
        Self::LogAdded,
        Self::Page,
        Self::Prompt,
        Self::DocumentReady,
        Self::Settled,
        Self::Job,
        Self::Other,
    ];

    /// The name in manifests and grants.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::IncidentOpened => "incident-opened",
            Self::IncidentChanged => "incident-changed",
            Self::UpdatePosted => "update-posted",
            Self::LogAdded => "log-added",
            Self::Page => "page",
            Self::Prompt => "prompt",
            Self::DocumentReady => "document-ready",
            Self::Settled => "settled",
            Self::Job => "job",
            Self::Other => "other",
        }
    }

    pub fn of(body: &EventBody) -> Self {
        match body {
            EventBody::IncidentOpened(_) => Self::IncidentOpened,
            EventBody::IncidentChanged(_) => Self::IncidentChanged,
            EventBody::UpdatePosted(_) => Self::UpdatePosted,
            EventBody::LogAdded(_) => Self::LogAdded,
            EventBody::Page(_) => Self::Page,
            EventBody::Prompt(_) => Self::Prompt,
            EventBody::DocumentReady(_) => Self::DocumentReady,
            EventBody::Settled(_) => Self::Settled,
            EventBody::Job(_) => Self::Job,
            EventBody::Other(_) => Self::Other,
        }
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A string that is not a kind of event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not an event; use {known}",
    known = EventKind::ALL.map(EventKind::as_str).join(", ")
)]
pub struct UnknownEventKind(String);

impl FromStr for EventKind {
    type Err = UnknownEventKind;

    fn from_str(name: &str) -> Result<Self, UnknownEventKind> {
        let found = Self::ALL.into_iter().find(|kind| kind.as_str() == name);
        found.ok_or_else(|| UnknownEventKind(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_name_and_a_wrong_name_is_an_error_with_all_of_them() {
        for kind in EventKind::ALL {
            assert_eq!(kind.to_string().parse(), Ok(kind));
        }
        let error = "paeg".parse::<EventKind>().unwrap_err().to_string();
        assert_eq!(
            error,
            "`paeg` is not an event; use incident-opened, incident-changed, update-posted, \
             log-added, page, prompt, document-ready, settled, job, other"
        );
    }
}
