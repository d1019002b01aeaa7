//! Copies the exact alert counts into the incident's event stream.

use crate::Timestamp;
use crate::event::Event;
use crate::incident::{Incident, Tally};
use crate::outcome::Outcome;
use crate::prompts::Question;
use crate::refusal::Refusal;

/// Whether a change holds although alerts were counted in the meantime: it counts none itself, it
/// neither ends the incident nor makes it active again, which fixes the counts, and it does not
/// change what its acknowledgement waits for, which depends on whether an alert fires.
#[must_use]
pub fn ignores_tally(before: (&Incident, &Tally), after: (&Incident, &Tally)) -> bool {
    let is_as_active = before.0.is_active() == after.0.is_active();
    let is_held_alike = before.0.escalation.hold == after.0.escalation.hold;
    // Whether it is solved is only asked while nothing fires.
    let asked = |it: &Incident| it.prompts.asked.get(&Question::Solved).copied();
    let is_asked_alike = asked(before.0) == asked(after.0);
    before.1 == after.1 && is_as_active && is_held_alike && is_asked_alike
}

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
