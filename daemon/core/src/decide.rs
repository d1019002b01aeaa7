//! `decide`: what a command to an incident comes to. Each topic decides its own commands.

use crate::command::{Command, Env, Outcome, Refusal};
use crate::event::Event;
use crate::incident::{self, Incident, Tally};
use crate::{Actor, escalation, grading, lifecycle, log, paging};

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
