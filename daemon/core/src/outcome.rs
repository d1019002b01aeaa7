//! The outcome of a command, and the inputs of a decision besides the state.

use crate::event::{Event, Recorded};
use crate::grading::Watch;
use crate::incident::Tally;
use crate::paging::Channels;
use crate::{Actor, Grading, Person, PersonId, Plan, Timestamp, Verdict};

/// The people whom a step pages, looked up when it is taken.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Responders {
    /// Without duplicates.
    pub people: Vec<Person>,
    /// Anything unusual, e.g. that the rotation had nobody on call.
    pub note: Option<String>,
}

/// A person whom a command names.
#[derive(Clone, Debug, PartialEq)]
pub struct Named {
    pub id: PersonId,
    /// Looked up when the command is given; `None` if they are not in the configuration.
    pub person: Option<Box<Person>>,
}

impl Named {
    /// A person who is not looked up yet.
    #[must_use]
    pub fn of(id: PersonId) -> Self {
        Self { id, person: None }
    }

    /// The person, if there is a way to reach them.
    #[must_use]
    pub fn reachable(&self) -> Option<&Person> {
        self.person.as_deref().filter(|it| !it.contacts.is_empty())
    }
}

/// The verdicts and people with which an incident opens, reopens or is regraded, obtained
/// beforehand.
#[derive(Clone, Debug, PartialEq)]
pub struct Opening {
    pub grading: Verdict<Grading>,
    /// Who to page.
    pub plan: Verdict<Plan>,
    /// The people of the plan's first step.
    pub responders: Responders,
    /// What the verdicts were decided from, apart from the alert.
    pub watch: Watch,
}

impl Opening {
    /// Records the position in the store's feed up to which the incident that policies saw was
    /// current.
    #[must_use]
    pub fn read_at(mut self, position: u64) -> Self {
        self.grading = self.grading.read_at(position);
        self.plan = self.plan.read_at(position);
        self
    }
}

/// The result of a decision.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// In order; may be empty.
    pub events: Vec<Event>,
    /// What the daemon itself does right after, e.g. skip a contact that nothing delivers to.
    pub follow_ups: Vec<Event>,
    /// The new tally, if it changes.
    pub tally: Option<Tally>,
    /// Pages, and their contacts, whose buttons must be removed although nothing else happens: a
    /// channel accepted them after they were settled.
    pub settle_pages: Vec<(u32, u32)>,
    /// The reply to whoever sent the command.
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

    /// Whether nothing changes, and there is at most a reply.
    #[must_use]
    pub fn is_reply(&self) -> bool {
        self.events.is_empty() && self.tally.is_none() && self.settle_pages.is_empty()
    }

    /// The events to store, each within a store's largest value.
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

/// The inputs of a decision besides the state.
#[derive(Clone, Copy, Debug)]
pub struct Env<'a> {
    pub now: Timestamp,
    pub delays: &'a Delays,
    /// The kinds of contacts that pages can be delivered to.
    pub channels: &'a Channels,
}

impl Env<'_> {
    /// When whoever has an incident from now on is asked whether to mitigate it first.
    pub(crate) fn approach_at(&self) -> Option<Timestamp> {
        let after_ms = self.delays.approach_after_ms;
        after_ms.map(|ms| self.now.plus_ms(ms))
    }
}

/// Delays from the daemon's configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delays {
    /// From the last alert's end until the incident resolves automatically, in milliseconds.
    pub resolve_after_ms: u64,
    /// How long after it was resolved an incident can reopen, in milliseconds. For that long,
    /// repeats of alerts that never stopped firing do not undo a person's resolve.
    pub reopen_within_ms: u64,
    /// How long a channel has to accept a page, in milliseconds.
    pub contact_wait_ms: u64,
    /// What waits for a person within this goes out as one message, in milliseconds.
    pub bundle_window_ms: u64,
    /// Most messages that a person gets in ten minutes, besides those about critical incidents.
    pub pages_max: u32,
    /// How long an operator has had an incident above minor when they are asked whether to
    /// mitigate it first, in milliseconds; `None`: they are not.
    pub approach_after_ms: Option<u64>,
    /// How long before an incident a change may have caused it, in milliseconds; 0: none is
    /// suspected.
    pub suspect_within_ms: u64,
}

impl Default for Delays {
    fn default() -> Self {
        Self {
            resolve_after_ms: crate::time::MINUTE_MS,
            reopen_within_ms: 30 * crate::time::MINUTE_MS,
            contact_wait_ms: crate::limits::CONTACT_WAIT_MS,
            bundle_window_ms: crate::limits::BUNDLE_WINDOW_MS,
            pages_max: crate::limits::PERSON_PAGES_MAX,
            approach_after_ms: None,
            suspect_within_ms: 6 * crate::time::HOUR_MS,
        }
    }
}
