//! An incident's events in words.

use tocsin_core::incident::Incident;
use tocsin_core::{Actor, Recorded, Timestamp, narrate};

use super::Clearance;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct TimelineEntry {
    pub at: Timestamp,
    pub by: Actor,
    /// What, in one line.
    pub text: String,
}

/// Every event of an incident in words, in order; nothing without clearance. Each event is told
/// by the state after it, since the incident forgets old pages.
#[must_use]
pub fn timeline(
    incident: &Incident,
    events: &[Recorded],
    clearance: Clearance,
) -> Vec<TimelineEntry> {
    if !clearance.may_see(incident.grading.security) {
        return Vec::new();
    }
    let mut state: Option<Incident> = None;
    let mut entries = Vec::with_capacity(events.len());
    for event in events {
        state = match state {
            Some(state) => Some(state.fold(event)),
            None => Incident::begin(&incident.id, event).ok(),
        };
        entries.push(TimelineEntry {
            at: event.at,
            by: event.by.clone(),
            text: narrate(state.as_ref().unwrap_or(incident), event),
        });
    }
    entries
}
