//! The changes that an incident lists, folded from its events.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ChangeId;
use crate::changes::change::ChangeBrief;
use crate::event::Event;
use crate::limits;

/// The changes to the services of an incident: those in the time before it, which may have caused
/// it, and those while it is open.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    /// By number, at most [`CHANGES_MAX`](limits::CHANGES_MAX).
    pub all: BTreeMap<u32, IncidentChange>,
    /// How many more there were in the time before it.
    #[serde(default, skip_serializing_if = "crate::defaults::is_default")]
    pub more: u32,
    /// The services of incidents that were merged into it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<String>,
}

/// A change that an incident lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentChange {
    #[serde(flatten)]
    pub brief: ChangeBrief,
    pub status: ChangeStatus,
}

/// What is known of a change in an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeStatus {
    /// It was made shortly before the incident opened, and may have caused it.
    Suspected,
    /// It was made while the incident was open.
    Made,
    /// A person says that it caused the incident.
    Confirmed,
    /// A person says that it did not.
    Cleared,
}

impl ChangeStatus {
    /// As written in text and in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Suspected => "suspected",
            Self::Made => "made",
            Self::Confirmed => "confirmed",
            Self::Cleared => "cleared",
        }
    }
}

impl Changes {
    /// The one that matters most: the newest of those that are confirmed, and without any of those
    /// that are not cleared.
    #[must_use]
    pub fn foremost(&self) -> Option<&IncidentChange> {
        let is_confirmed = |it: &&IncidentChange| it.status == ChangeStatus::Confirmed;
        let uncleared = self.all.values();
        let uncleared = uncleared.filter(|it| it.status != ChangeStatus::Cleared);
        uncleared.max_by_key(|it| (is_confirmed(it), it.brief.at))
    }

    /// Those that nobody has judged and that were made before the incident, with their numbers.
    pub fn suspects(&self) -> impl Iterator<Item = (u32, &IncidentChange)> {
        let all = self.all.iter().map(|(number, it)| (*number, it));
        all.filter(|(_, it)| it.status == ChangeStatus::Suspected)
    }

    pub(crate) fn has(&self, id: &ChangeId) -> bool {
        self.all.values().any(|it| it.brief.id == *id)
    }

    /// The number of the last one; 0 without any.
    pub(crate) fn last(&self) -> u32 {
        self.all.last_key_value().map_or(0, |(number, _)| *number)
    }

    pub(crate) fn is_full(&self) -> bool {
        self.all.len() >= limits::CHANGES_MAX
    }

    pub(crate) fn fold(&mut self, event: &Event) {
        match event {
            Event::ChangeSuspected {
                number,
                change,
                more,
            } => {
                self.list(*number, change, ChangeStatus::Suspected);
                self.more = self.more.saturating_add(*more);
            }
            Event::ChangeMade { number, change } => {
                self.list(*number, change, ChangeStatus::Made);
            }
            Event::ChangeConfirmed { number, .. } => self.judge(*number, ChangeStatus::Confirmed),
            Event::ChangeCleared { number, .. } => self.judge(*number, ChangeStatus::Cleared),
            Event::Absorbed { services, .. } => {
                let new = services.iter().filter(|it| !self.services.contains(it));
                let new: Vec<_> = new.cloned().collect();
                self.services.extend(new);
            }
            _ => {}
        }
    }

    fn list(&mut self, number: u32, change: &ChangeBrief, status: ChangeStatus) {
        let brief = change.clone();
        self.all.insert(number, IncidentChange { brief, status });
    }

    fn judge(&mut self, number: u32, status: ChangeStatus) {
        if let Some(change) = self.all.get_mut(&number) {
            change.status = status;
        }
    }
}
