//! Events in words: what the log, the war room and `tocsin incident show` say of them. One
//! place, so that every audience reads the same.

use crate::event::{Recorded, Topic};
use crate::incident::{self, Incident};
use crate::{escalation, grading, lifecycle, log, paging, roles};

/// An event in one line, without its time: "ada acknowledged through slack". `incident` is the
/// state after it, which knows the pages that the event speaks of.
#[must_use]
pub fn narrate(incident: &Incident, recorded: &Recorded) -> String {
    let traits = recorded.event.traits();
    let text = match traits.topic {
        Topic::Incident => incident::narrate(recorded),
        Topic::Grading => grading::narrate(recorded),
        Topic::Escalation => escalation::narrate(recorded),
        Topic::Paging => paging::narrate(incident, recorded),
        Topic::Roles => roles::narrate(recorded),
        Topic::Lifecycle => lifecycle::decide::narrate(recorded),
        Topic::Log => log::narrate(recorded),
    };
    text.unwrap_or_else(|| traits.name.to_owned())
}
