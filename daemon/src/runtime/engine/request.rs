//! What the engine can be asked, and what it answers.

use serde_json::Value;
use tocsin_core::command::{Command, Opening};
use tocsin_core::incident::Incident;
use tocsin_core::intake::Assessment;
use tocsin_core::{Actor, Draft, IncidentId, Signal, Timestamp};
use tocsin_store::{Claimed, Class, CommandKey, NewDelivery, Settle, TimerKey, TimerRow};

use std::sync::Arc;

use crate::runtime::state::tables::RowWrites;

/// What the engine can be asked. All that one request makes durable is one batch.
#[derive(Clone, Debug)]
pub enum Request {
    /// A sender said something about an alert.
    Signal {
        /// What it said.
        signal: Arc<Signal>,
        /// What was asked of policies beforehand, if it was needed.
        assessment: Option<Box<Assessment>>,
        /// Only if the daemon has not heard of the alert since: the sweep speaks for a sender
        /// that fell silent, and must not overrule one that has just spoken.
        unless_observed_since: Option<Timestamp>,
    },
    /// Somebody wants something of an incident.
    Command {
        incident: IncidentId,
        by: Actor,
        command: Command,
        /// What caused it, finished in the same batch.
        cause: Cause,
    },
    /// Somebody opens an incident by hand.
    Open {
        /// What they say of it.
        draft: Draft,
        /// What the policies say.
        opening: Box<Opening>,
        by: Actor,
        /// The request's own key, if it has one.
        key: Option<CommandKey>,
    },
    /// Rows, deliveries and timers that need no decision.
    Write(Box<Write>),
    /// Deliveries that are ready, for as long as `lease_ms`.
    Claim {
        class: Class,
        /// How many at most.
        limit: usize,
        /// For how long, in milliseconds.
        lease_ms: u64,
    },
    /// Forget what has outlived its time, and let go of incidents that are over.
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

/// What caused a command: a timer that fired, or a delivery that came to its end.
#[derive(Clone, Debug, Default)]
pub struct Cause {
    /// The timer, taken with the command.
    pub fired: Option<TimerKey>,
    /// The claim, settled with the command.
    pub settles: Option<Settle>,
    /// The command's own key: a repeat is answered and not carried out.
    pub key: Option<CommandKey>,
    /// Rows that are written with the command, e.g. a plugin's jobs.
    pub also: Box<Write>,
}

/// Rows, deliveries and timers that need no decision.
#[derive(Clone, Debug, Default)]
pub struct Write {
    /// Rows to write or remove, and the revisions that they were decided on.
    pub rows: RowWrites,
    /// Deliveries to queue.
    pub outbox: Vec<NewDelivery>,
    pub timers_set: Vec<TimerRow>,
    /// The timers that caused this or go with it; each must still be set.
    pub timers_take: Vec<TimerKey>,
    /// The claim that this settles.
    pub settles: Option<Settle>,
}

/// What the engine answers, once it is durable.
#[derive(Clone, Debug)]
pub enum Answer {
    Done(Done),
    /// The rows that were claimed.
    Claimed(Vec<Claimed>),
    /// How many rows were forgotten, and how many incidents were let go of.
    Expired(usize),
}

/// What a request came to.
#[derive(Clone, Debug, Default)]
pub struct Done {
    /// The incident as it stands now, if the request was about one.
    pub incident: Option<Arc<Incident>>,
    /// Whether the request opened that incident.
    pub opened: bool,
    /// How many events it made.
    pub events: usize,
    /// What to tell who asked.
    pub reply: String,
    /// The new revisions of the rows that it wrote, in their order.
    pub revisions: Vec<u64>,
    /// The command was carried out before; this is the answer of that time.
    pub repeated: Option<Value>,
}
