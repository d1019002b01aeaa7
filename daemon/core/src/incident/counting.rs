//! Copies the exact alert counts into the incident's event stream.

use crate::Timestamp;
use crate::event::Event;
use crate::incident::{Incident, Tally};
use crate::outcome::Outcome;
use crate::refusal::Refusal;

pub(crate) fn due(incident: &Incident, tally: &Tally, now: Timestamp) -> Result<Outcome, Refusal> {
    let mut tally = tally.clone();
    match log(incident, &mut tally, now) {
        Some(event) => Ok(Outcome {
            events: vec![event],
            tally: Some(tally),
            ..Outcome::default()
        }),
        None => Err(Refusal::Stale("the tally")),
    }
}

/// The event that copies the counts into the stream, when due; marks the tally as logged.
pub(crate) fn log(incident: &Incident, tally: &mut Tally, now: Timestamp) -> Option<Event> {
    if !incident.is_active() || !tally.is_log_due(now) {
        return None;
    }
    let event = Event::Tallied {
        counts: tally.counts,
        sample: tally.sample.clone(),
    };
    tally.mark_logged(now);
    Some(event)
}
