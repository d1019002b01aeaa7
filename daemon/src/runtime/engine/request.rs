//! The engine's requests and answers.

use serde_json::Value;
use tocsin_core::command::{Command, Opening};
use tocsin_core::incident::Incident;
use tocsin_core::intake::{Assessment, Silencing};
use tocsin_core::pager::Arrival;
use tocsin_core::trial::{ShiftNotice, TestOutcome};
use tocsin_core::{
    Actor, Change, Contact, Draft, IncidentId, MessageId, PersonId, Signal, TestId, Timestamp,
};
use tocsin_store::{Claimed, Class, CommandKey, NewDelivery, Settle, TimerKey, TimerRow};

use std::sync::Arc;

use crate::runtime::state::tables::RowWrites;

/// A request to the engine. Each request becomes one batch.
#[derive(Clone, Debug)]
pub enum Request {
    /// A sender reports an alert.
    Signal {
        /// The report.
        signal: Arc<Signal>,
        /// The policies' verdicts, if they were needed.
        assessment: Option<Box<Assessment>>,
        /// Ignore the request if the alert was received after this time: the sweep must not
        /// override a sender that has just reported.
        unless_observed_since: Option<Timestamp>,
    },
    /// The silences that match a firing alert have changed.
    Silencing {
        /// The key of its row.
        alert: String,
        silencing: Box<Silencing>,
    },
    /// Somebody ends an alert by hand.
    EndAlert {
        /// Its row's key.
        alert: String,
        by: Actor,
        /// Whether they may see security incidents.
        may_see: bool,
        reason: String,
    },
    /// A command on an incident.
    Command {
        incident: IncidentId,
        by: Actor,
        command: Command,
        /// Its cause, settled in the same batch.
        cause: Cause,
    },
    /// Opens an incident by hand.
    Open {
        /// The person's draft.
        draft: Draft,
        /// The policies' verdicts.
        opening: Box<Opening>,
        by: Actor,
        /// The request's own key, if it has one.
        key: Option<CommandKey>,
    },
    /// A sender reports a change, such as a deployment.
    Change(Box<Change>),
    /// Rows, deliveries and timers that need no decision.
    Write(Box<Write>),
    /// Begins tests of the way to a person, or notes what became of one.
    Test(Box<TestRequest>),
    /// Sends what waits for a person and may go out now.
    Gather {
        person: PersonId,
        /// The person's timers that fired.
        fired: Vec<TimerKey>,
    },
    /// Notes whether a message to a person arrived: their limits count it, or do not.
    Arrived {
        message: MessageId,
        arrival: Arrival,
    },
    /// Claims deliveries that are ready.
    Claim {
        class: Class,
        /// How many at most.
        limit: usize,
        /// How long the claims last, in milliseconds.
        lease_ms: u64,
    },
    /// Removes expired rows, and retires incidents that are over.
    Expire,
}

impl Request {
    /// Rows that need no decision.
    pub fn rows(rows: RowWrites) -> Self {
        Self::Write(Box::new(Write {
            rows,
            ..Write::default()
        }))
    }
}

/// A request about tests of the way to a person.
#[derive(Clone, Debug)]
pub enum TestRequest {
    Begin(NewTests),
    Note {
        test: TestId,
        outcome: TestOutcome,
        /// What is written with it, such as the settled claim.
        also: Write,
    },
}

/// Tests to begin.
#[derive(Clone, Debug)]
pub struct NewTests {
    pub person: PersonId,
    /// Those of which a test is open do not get another one.
    pub contacts: Vec<Contact>,
    pub by: Actor,
    /// The shift of which they remind the person, once; then no limit applies.
    pub shift: Option<ShiftNotice>,
    /// The request's own key, if it has one.
    pub key: Option<CommandKey>,
}

/// The cause of a command: a timer that fired, or a delivery that ended.
#[derive(Clone, Debug, Default)]
pub struct Cause {
    /// The timer, taken with the command.
    pub fired: Option<TimerKey>,
    /// The claim, settled with the command.
    pub settles: Option<Settle>,
    /// The command's idempotency key: a repeat is answered and not carried out.
    pub key: Option<CommandKey>,
    /// Whether it is a press on the button of a page, which proves the contact that brought it; a
    /// command that was typed in the same channel does not.
    pub is_press: bool,
    /// What is written with the command, such as a plugin's jobs.
    pub also: Box<Write>,
}

impl From<Option<CommandKey>> for Cause {
    fn from(key: Option<CommandKey>) -> Self {
        Self {
            key,
            ..Self::default()
        }
    }
}

/// Rows, deliveries and timers that need no decision.
#[derive(Clone, Debug, Default)]
pub struct Write {
    /// Rows to write or remove, and the revisions that the decision is based on.
    pub rows: RowWrites,
    /// Deliveries to queue.
    pub outbox: Vec<NewDelivery>,
    pub timers_set: Vec<TimerRow>,
    /// The timers that caused this write or go with it; each must still be set.
    pub timers_take: Vec<TimerKey>,
    /// The claim to settle.
    pub settles: Option<Settle>,
}

/// The engine's answer, sent once the change is durable.
#[derive(Clone, Debug)]
pub enum Answer {
    Done(Done),
    /// The rows that were claimed.
    Claimed(Vec<Claimed>),
    /// How many rows were removed and incidents retired.
    Expired(usize),
}

/// The result of a request.
#[derive(Clone, Debug, Default)]
pub struct Done {
    /// The incident's new state, if the request was about one.
    pub incident: Option<Arc<Incident>>,
    /// Whether the request opened that incident.
    pub opened: bool,
    /// How many events it made.
    pub events: usize,
    /// The reply for the person.
    pub reply: String,
    /// The tests of the way to a person that it began, and those that were open.
    pub tests: Vec<TestId>,
    /// The new revisions of the rows that it wrote, in their order.
    pub revisions: Vec<u64>,
    /// The first answer, if the command was already carried out.
    pub repeated: Option<Value>,
}
