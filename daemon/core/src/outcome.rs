//! What a command comes to, and what a decision goes by besides the state.

use crate::event::{Event, Recorded};
use crate::incident::Tally;
use crate::paging::Channels;
use crate::{Actor, Grading, Person, Plan, Timestamp, Verdict};

/// The people that a step pages, looked up when it is taken.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Responders {
    /// Whom to page, without repeats.
    pub people: Vec<Person>,
    /// What was out of the ordinary, e.g. that the rotation had nobody on call.
    pub note: Option<String>,
}

/// What an incident opens, reopens or is regraded with: verdicts and people, asked beforehand.
#[derive(Clone, Debug, PartialEq)]
pub struct Opening {
    pub grading: Verdict<Grading>,
    /// Whom to wake.
    pub plan: Verdict<Plan>,
    /// The people of the plan's first step.
    pub responders: Responders,
}

impl Opening {
    /// Notes the position of the store's feed that the incident which policies were shown is not
    /// older than.
    #[must_use]
    pub fn read_at(mut self, position: u64) -> Self {
        self.grading.source.read_at = Some(position);
        self.plan.source.read_at = Some(position);
        self
    }
}

/// What a command comes to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// What happens, in order; may be nothing.
    pub events: Vec<Event>,
    /// What the daemon itself does about it right after, e.g. pass over a contact that nothing
    /// delivers to.
    pub follow_ups: Vec<Event>,
    /// The tally, if it changes.
    pub tally: Option<Tally>,
    /// Pages whose buttons must go although nothing else happens: a channel took them after
    /// they were settled.
    pub settle_pages: Vec<u32>,
    /// What to tell who asked.
    pub reply: String,
}

impl Outcome {
    pub(crate) fn of(events: Vec<Event>) -> Self {
        Self {
            events,
            ..Self::default()
        }
    }

    pub(crate) fn reply(reply: String) -> Self {
        Self {
            reply,
            ..Self::default()
        }
    }

    /// Whether nothing changes, and there is at most an answer.
    #[must_use]
    pub fn is_reply(&self) -> bool {
        self.events.is_empty() && self.tally.is_none() && self.settle_pages.is_empty()
    }

    /// The events as they are stored: each within a store's largest value.
    #[must_use]
    pub fn recorded(&mut self, by: &Actor, at: Timestamp) -> Vec<Recorded> {
        let record = |by: &Actor, event: Event| Recorded {
            at,
            by: by.clone(),
            event: event.fitted(),
        };
        let events = std::mem::take(&mut self.events).into_iter();
        let follow_ups = std::mem::take(&mut self.follow_ups).into_iter();
        let events = events.map(|event| record(by, event));
        let follow_ups = follow_ups.map(|event| record(&Actor::Tocsin, event));
        events.chain(follow_ups).collect()
    }
}

/// What a decision goes by besides the state.
#[derive(Clone, Copy, Debug)]
pub struct Env<'a> {
    pub now: Timestamp,
    /// Waits that the operator of the daemon sets.
    pub delays: &'a Delays,
    /// What pages can be delivered to.
    pub channels: &'a Channels,
}

/// Waits that the operator of the daemon sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delays {
    /// From the last alert's end to the incident's own resolve, in milliseconds.
    pub resolve_after_ms: u64,
    /// How long after its resolve an incident comes back with its key, in milliseconds. For as
    /// long, a person's resolve stands against repeats of alerts that never ceased to fire.
    pub reopen_within_ms: u64,
    /// What a channel has to take a page, in milliseconds.
    pub contact_wait_ms: u64,
}

impl Default for Delays {
    fn default() -> Self {
        Self {
            resolve_after_ms: crate::time::MINUTE_MS,
            reopen_within_ms: 30 * crate::time::MINUTE_MS,
            contact_wait_ms: crate::limits::CONTACT_WAIT_MS,
        }
    }
}
