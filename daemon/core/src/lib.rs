//! The incident engine: pure decisions over values.
//!
//! `decide` turns a command into events and `fold` turns events into state. Time, ids, on-call
//! people and policy verdicts are passed in as values, and everything to be stored is returned as
//! values. Nothing here waits, does IO or reads a clock, so a night of escalation is tested in
//! milliseconds, and a simulation is reproducible from its seed.
//!
//! Each folder is a topic: its part of an incident's state, and the code that decides its
//! commands, folds and narrates its events, and derives its timers and notices.

#![forbid(unsafe_code)]

mod actor;
mod changes;
pub mod consequences;
mod decide;
mod defaults;
pub mod drill;
mod escalation;
pub mod event;
mod grading;
mod ids;
pub mod incident;
pub mod intake;
mod lifecycle;
pub mod limits;
mod links;
mod log;
mod narrate;
mod notice;
mod outcome;
mod paging;
mod person;
mod promises;
mod prompts;
mod refusal;
mod roles;
mod signal;
mod silence;
mod tasks;
mod text;
pub mod time;
mod timer;
mod verdict;

/// Verdicts that stand, and when they are asked for again.
pub mod standing {
    pub use crate::grading::{
        AlertGroup, Bounds, Changing, Review, Seen, Standing, Watch, depends_on_surroundings,
        needs_review,
    };
}

/// What waits for one person, and the messages that bring it.
pub mod pager {
    pub use crate::paging::{
        Arrival, Bundle, Gathered, PageAttempt, Pager, SentMessage, WaitingPage, gather,
    };
}

/// Tests of the way to a person.
pub mod trial {
    pub use crate::paging::{
        ShiftNotice, TestOutcome, TestPage, TestState, TooManyTests, tests_to_begin,
    };
}

/// Commands and their outcomes.
pub mod command {
    pub use crate::decide::Command;
    pub use crate::lifecycle::merge::Merge;
    pub use crate::outcome::{Delays, Env, Named, Opening, Outcome, Responders};
    pub use crate::paging::Channels;
    pub use crate::refusal::Refusal;
}

pub use actor::Actor;
pub use changes::{
    AboutChange, Change, ChangeBrief, ChangeLink, ChangeStatus, Changes, IncidentChange,
    services_of_opening, suspected,
};
pub use decide::decide;
pub use escalation::{PageTarget, Plan, Position, Step, UnknownPageTarget};
pub use event::{Event, Recorded};
pub use grading::{Grade, Grading, UnknownGrade};
pub use ids::{
    ChangeId, Fingerprint, IncidentId, IncidentKey, IntegrationId, MessageId, PageId, PersonId,
    PluginId, PromptId, TeamId, TestId,
};
pub use incident::{Draft, Incident, open_by_hand};
pub use intake::alert::{self, Alert};
pub use intake::{Otherwise, Route, Target, decide_signal};
pub use lifecycle::{Status, UnknownStatus};
pub use links::{AlertLink, links_of};
pub use narrate::narrate;
pub use paging::{Ladder, LadderRung, Ladders, Rung};
pub use person::{Contact, Person};
pub use promises::{
    Audience, Cadence, Promise, PromiseCounts, PromiseOutcome, PromiseStage, Promises,
    UnknownAudience,
};
pub use prompts::{Choice, Question};
pub use roles::{Call, Declined, Response, Role, RoleTime, Roles, ShiftEnd, UnknownRole};
pub use signal::{Labels, Sender, Signal, SignalStatus};
pub use silence::SilenceRef;
pub use tasks::{Task, TaskChange, Tasks};
pub use text::cut;
pub use time::Timestamp;
pub use verdict::{PolicySource, Verdict};
