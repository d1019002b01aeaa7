//! An incident's timeline.

use tocsin_core::incident::Incident;
use tocsin_core::{Actor, Event, Recorded, Timestamp, narrate};

use super::Clearance;

#[derive(Clone, Debug, PartialEq)]
pub struct TimelineEntry {
    pub at: Timestamp,
    pub by: Actor,
    /// What happened, in one line.
    pub text: String,
    /// Where people can read it, for an entry that was written elsewhere.
    pub link: Option<String>,
}

/// Every event of an incident as text, in order; empty without clearance. Each event is described
/// with the state after it, as the incident's current state no longer has old pages.
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
            link: match &event.event {
                Event::Logged { written, .. } => written.link.clone(),
                _ => None,
            },
        });
    }
    entries
}
