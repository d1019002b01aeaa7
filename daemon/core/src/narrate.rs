//! Describes events in text for the log, the war room and `tocsin incident show`. Every audience
//! gets the same text.

use crate::event::{Recorded, Topic};
use crate::incident::{self, Incident};
use crate::{
    changes, escalation, grading, lifecycle, log, paging, promises, prompts, roles, tasks,
};

/// An event as one line of text, without its time: "ada acknowledged through slack". `incident` is
/// the state after it, which holds the pages and the plan that the event refers to.
#[must_use]
pub fn narrate(incident: &Incident, recorded: &Recorded) -> String {
    let traits = recorded.event.traits();
    let text = match traits.topic {
        Topic::Incident => incident::narrate(recorded),
        Topic::Grading => grading::narrate(recorded),
        Topic::Escalation => escalation::narrate(recorded),
        Topic::Paging => paging::narrate(incident, recorded),
        Topic::Prompts => prompts::narrate(incident, recorded),
        Topic::Promises => promises::narrate(recorded),
        Topic::Tasks => tasks::narrate(&incident.tasks, recorded),
        Topic::Roles => roles::narrate(recorded),
        Topic::Lifecycle => lifecycle::decide::narrate(incident, recorded),
        Topic::Changes => changes::narrate(&incident.changes, recorded),
        Topic::Log => log::narrate(recorded),
    };
    text.unwrap_or_else(|| traits.name.to_owned())
}
