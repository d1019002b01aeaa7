//! What can be asked of an incident, and which topic decides it.

use crate::event::{Event, LogKind, Ref};
use crate::incident::{self, Incident, Tally};
use crate::lifecycle::decide as lifecycle;
use crate::outcome::{Env, Opening, Outcome, Responders};
use crate::refusal::Refusal;
use crate::{Actor, Grade, Timestamp, escalation, grading, log, paging};

/// What can be asked of an incident.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Somebody has it.
    Acknowledge {
        /// Through what: `slack`, `mail`, `api`, `cli`.
        via: String,
    },
    /// Whoever has it gives it up.
    Unacknowledge { reason: Option<String> },
    /// Grade it by hand.
    Grade {
        grade: Grade,
        /// The security flag; `None` leaves it.
        security: Option<bool>,
        reason: String,
        /// Whom to wake under that grade, asked beforehand; for an incident that nobody has yet.
        replan: Option<Box<Opening>>,
    },
    /// Write a line of the log.
    Log {
        /// What kind of line.
        kind: LogKind,
        body: String,
    },
    /// Note what it is called elsewhere.
    Link(Ref),
    /// The harm is stopped.
    Mitigate { reason: String },
    /// The service is back.
    Resolve {
        /// Why it is believed to be.
        reason: String,
    },
    /// Put it away.
    Close,
    /// The escalation's timer fired.
    EscalationDue {
        /// The time that the timer was set for.
        due: Timestamp,
        /// Whom the next step pages, looked up now.
        responders: Responders,
    },
    /// A page's timer fired.
    ContactDue {
        page: u32,
        /// The contact that was given its time.
        contact: u32,
        /// The time that the timer was set for.
        due: Timestamp,
    },
    /// A channel took a page.
    PageTaken {
        page: u32,
        contact: u32,
        /// Whether an earlier try was cut off, so that its outcome is unknown.
        interrupted: bool,
    },
    /// A channel will not take a page.
    PageFailed {
        page: u32,
        contact: u32,
        /// What it said.
        reason: String,
        /// Whether an attempt of it may have arrived all the same.
        outcome_unknown: bool,
    },
    /// An attempt of a page may have arrived; it is tried again, or is no longer wanted.
    PageOutcomeUnknown { page: u32, contact: u32 },
    /// The tally's timer fired.
    TallyDue,
    /// The resolve timer fired.
    ClearDue,
}

/// Decides what a command comes to. Nothing changes: the caller makes the outcome durable and
/// folds its events.
///
/// # Errors
/// [`Refusal`] when the command is not carried out; the state stays as it is.
pub fn decide(
    incident: &Incident,
    tally: &Tally,
    command: Command,
    by: &Actor,
    env: Env<'_>,
) -> Result<Outcome, Refusal> {
    let mut outcome = dispatch(incident, tally, command, by, env)?;
    paging::pass_over_unserved(&mut outcome, Some(incident), env);
    Ok(outcome)
}

fn dispatch(
    incident: &Incident,
    tally: &Tally,
    command: Command,
    by: &Actor,
    env: Env<'_>,
) -> Result<Outcome, Refusal> {
    match command {
        Command::Acknowledge { via } => lifecycle::acknowledge(incident, via, by),
        Command::Unacknowledge { reason } => lifecycle::unacknowledge(incident, reason),
        Command::Grade {
            grade,
            security,
            reason,
            replan,
        } => {
            let graded = (grade, security, reason);
            grading::by_hand(incident, graded, replan.as_deref(), by, env)
        }
        Command::Log { kind, body } => log::write(kind, body),
        Command::Link(link) => Ok(Outcome::of(vec![Event::Linked(link)])),
        Command::Mitigate { reason } => lifecycle::mitigate(incident, reason),
        Command::Resolve { reason } => Ok(lifecycle::resolve(incident, tally, reason)),
        Command::Close => lifecycle::close(incident),
        Command::EscalationDue { due, responders } => {
            escalation::step_due(incident, due, &responders, env)
        }
        Command::ContactDue { page, contact, due } => {
            paging::contact_due(incident, page, contact, due, env)
        }
        Command::PageTaken {
            page,
            contact,
            interrupted,
        } => paging::taken(incident, page, contact, interrupted),
        Command::PageFailed {
            page,
            contact,
            reason,
            outcome_unknown,
        } => {
            let redirected = paging::redirect(incident, page, contact, reason, env);
            match outcome_unknown {
                true => paging::outcome_unknown_and(incident, page, contact, redirected),
                false => redirected,
            }
        }
        Command::PageOutcomeUnknown { page, contact } => {
            let nothing_else = Err(Refusal::Stale("the page"));
            paging::outcome_unknown_and(incident, page, contact, nothing_else)
        }
        Command::TallyDue => incident::tally_due(incident, tally, env.now),
        Command::ClearDue => lifecycle::clear_due(incident, tally, env),
    }
}
