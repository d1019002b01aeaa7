//! Turns due timers into commands. The core refuses a timer that its incident no longer wants;
//! either way the timer is removed in the same batch.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::join_all;
use tocsin_core::command::{Command, Named, Refusal, Responders};
use tocsin_core::consequences::{Timer, TimerKind};
use tocsin_core::standing::Review;
use tocsin_core::{Actor, Audience, IncidentId, PersonId, Role, Step, Timestamp};
use tocsin_store::{CommitError, TimerKey, TimerRow};

use crate::runtime::due::Due;
use crate::runtime::due::schedules::SCHEDULE_TIMER;
use crate::runtime::engine::layout::CORE_TIMER;
use crate::runtime::engine::request::{Cause, Request, Write};
use crate::runtime::engine::{PAGER_TIMER, person_of};
use crate::runtime::error::EngineError;
use crate::runtime::outbox::telling::{OUTCOME_TIMER, all_told, telling, told};
use crate::runtime::state::tables::decode_row;
use crate::runtime::state::tables::pager::bundle;
use crate::runtime::state::view::View;

/// Timers that one turn fires; the rest follow in the next.
const FIRED_MAX: usize = 256;
/// How often a timer is fired in a turn at most, if what it is about has changed meanwhile; then it
/// stays due for the next turn.
const TRIES_MAX: usize = 3;

impl Due {
    /// Fires the timers that are due; returns how many.
    pub(crate) async fn fire_due(self: &Arc<Self>, now: Timestamp) -> Result<usize, EngineError> {
        let due = self.view.store().timers_due(now, FIRED_MAX)?;
        let mut count = 0;
        let (gathers, due) = gathering(due);
        let gathered = join_all(gathers.into_iter().map(|it| self.writer.ask(it))).await;
        let gathered = gathered.into_iter().map(|it| it.map(drop));
        let fired = join_all(due.into_iter().map(|row| self.fire(row, now))).await;
        for outcome in gathered.chain(fired) {
            match outcome {
                Err(error @ (EngineError::Store(_) | EngineError::Stopping)) => return Err(error),
                Err(EngineError::Commit(CommitError::TimerTaken(timer))) => {
                    tracing::debug!(timer, "a timer was fired or cancelled elsewhere");
                }
                Err(error) => tracing::error!(%error, "a timer could not be fired"),
                Ok(()) => count += 1,
            }
        }
        Ok(count)
    }

    async fn fire(self: &Arc<Self>, row: TimerRow, now: Timestamp) -> Result<(), EngineError> {
        self.metrics.timer_fired(now.since(row.key.due));
        match row.key.kind.as_str() {
            CORE_TIMER => self.fire_core(row, now).await,
            SCHEDULE_TIMER => self.fire_schedule(row, now).await,
            OUTCOME_TIMER => self.tell_pages(row).await,
            other => {
                tracing::error!(kind = other, id = row.key.id, "unknown kind of timer");
                self.cancel(row).await
            }
        }
    }

    async fn fire_core(&self, row: TimerRow, now: Timestamp) -> Result<(), EngineError> {
        let mut tries = TRIES_MAX;
        loop {
            let responders = |paged: Paged<'_>| match paged {
                Paged::Step(step) => self.intake.responders().of_step(Some(step), now),
                Paged::Fallback => self.intake.responders().fallback(now),
            };
            let request = match to_review(&row) {
                Some(id) => self.reviewing(row.clone(), id, now).await?,
                None => firing(row.clone(), &self.view, responders)?,
            };
            let request = self.completed(request).await?;
            tries -= 1;
            match self.writer.ask(request).await {
                Ok(_) => return Ok(()),
                Err(EngineError::Refused(Refusal::Stale(what))) => {
                    tracing::debug!(what, "a timer fired late and was dropped");
                    return Ok(());
                }
                // The engine has followed meanwhile what changed the step or the incident.
                Err(EngineError::Refused(Refusal::OtherStep | Refusal::NeedsVerdict))
                    if tries > 0 => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The request of a due review, with what the policies say now.
    async fn reviewing(
        &self,
        row: TimerRow,
        id: IncidentId,
        now: Timestamp,
    ) -> Result<Request, EngineError> {
        let review = self.intake.review(id.clone(), now.max(row.key.due)).await?;
        Ok(match review {
            Some(review) => reviewed(row, id, review),
            None => cancelling(row),
        })
    }

    /// Tells the pages of a message what became of it.
    async fn tell_pages(&self, row: TimerRow) -> Result<(), EngineError> {
        let told = told(&row);
        let pages = match &told {
            Ok((message, _)) => bundle(self.view.store(), message)?,
            Err(_) => None,
        };
        let (Ok((message, outcome)), Some(part)) = (told, pages) else {
            tracing::error!(
                id = row.key.id,
                "a message whose pages are not known is dropped"
            );
            return self.cancel(row).await;
        };
        let mut pending = Vec::new();
        for request in telling(&row.key, (&message, &outcome), &part) {
            let request = self.completed(request).await?;
            pending.push(self.writer.enqueue_when_free(request).await?);
        }
        for answer in pending {
            match answer.answer().await {
                Err(error @ (EngineError::Store(_) | EngineError::Stopping)) => return Err(error),
                Err(EngineError::Commit(error)) => return Err(EngineError::Commit(error)),
                // It knows already, or no longer exists.
                _ => {}
            }
        }
        self.writer.ask(all_told(row.key)).await?;
        Ok(())
    }

    /// A request whose command has what it needs to be decided.
    async fn completed(&self, mut request: Request) -> Result<Request, EngineError> {
        if let Request::Command {
            incident, command, ..
        } = &mut request
        {
            *command = self.intake.completed(incident, command.clone()).await?;
        }
        Ok(request)
    }

    async fn cancel(&self, row: TimerRow) -> Result<(), EngineError> {
        self.writer.ask(cancelling(row)).await?;
        Ok(())
    }
}

/// Whom a timer's command pages.
#[derive(Clone, Copy, Debug)]
pub enum Paged<'a> {
    Step(&'a Step),
    /// Those who are paged when nobody of a step can be reached.
    Fallback,
}

/// The engine request of a due core timer; a damaged timer is dropped. `responders` looks up who is
/// paged; the view may be behind, so the engine is told which steps those were. Shared with
/// the simulator.
///
/// # Errors
/// [`EngineError`] when the store fails or the incident is damaged.
pub fn firing(
    row: TimerRow,
    view: &View,
    responders: impl Fn(Paged<'_>) -> Responders,
) -> Result<Request, EngineError> {
    let timer: Timer = match decode_row("a timer", &row.payload) {
        Ok(timer) => timer,
        Err(error) => {
            tracing::error!(%error, id = row.key.id, "a damaged timer is dropped");
            return Ok(cancelling(row));
        }
    };
    let due = timer.due;
    let command = match timer.kind {
        TimerKind::Escalation => {
            let Some(state) = view.incident(&timer.incident)? else {
                return Ok(cancelling(row));
            };
            let ahead = state.incident.escalation.ahead();
            let looked_up = |step: &Step| (step.clone(), responders(Paged::Step(step)));
            Command::EscalationDue {
                due,
                steps: ahead.map(looked_up).collect(),
            }
        }
        TimerKind::Contact { page, contact } => Command::ContactDue {
            page,
            contact,
            due,
            held_until: None,
        },
        TimerKind::Hold => Command::HoldDue {
            due,
            operator: operator_of(view, &timer.incident)?,
        },
        TimerKind::Ask { question } => Command::AskDue {
            question,
            due,
            operator: operator_of(view, &timer.incident)?,
        },
        TimerKind::Respond => Command::Respond {
            due,
            seen: None,
            verdict: None,
        },
        TimerKind::Offer { role } => offering(view, &timer.incident, role, due)?,
        TimerKind::Promise { audience } => promised(view, &timer.incident, audience, due)?,
        TimerKind::Prompt { prompt } => Command::PromptDue {
            prompt,
            due,
            held_until: None,
        },
        TimerKind::Fallback => Command::FallbackDue {
            fallback: responders(Paged::Fallback),
        },
        TimerKind::Tally => Command::TallyDue,
        TimerKind::Clear => Command::ClearDue,
        // Policies are asked first, as in [`reviewed`].
        TimerKind::Review => return Ok(cancelling(row)),
        TimerKind::Reopen => Command::Reopen {
            reason: None,
            replan: None,
            rival: false,
        },
    };
    Ok(caused_by(row, timer.incident, command))
}

fn offering(
    view: &View,
    incident: &IncidentId,
    role: Role,
    due: Timestamp,
) -> Result<Command, EngineError> {
    let state = view.incident(incident)?;
    let next = state.and_then(|it| Some(it.incident.roles.next_offer(role)?.1.clone()));
    let to = next.map(Named::of);
    Ok(Command::OfferDue { role, due, to })
}

fn promised(
    view: &View,
    incident: &IncidentId,
    audience: Audience,
    due: Timestamp,
) -> Result<Command, EngineError> {
    let state = view.incident(incident)?;
    let people = state.map_or(Vec::new(), |it| it.incident.roles.answer_for_updates());
    let people = people.into_iter().map(Named::of).collect();
    Ok(Command::PromiseDue {
        audience,
        due,
        people,
    })
}

fn operator_of(view: &View, incident: &IncidentId) -> Result<Option<Named>, EngineError> {
    let state = view.incident(incident)?;
    let operator = state.and_then(|it| it.incident.roles.operator.clone());
    Ok(operator.map(Named::of))
}

/// The incident that a timer wants reviewed, if it is that kind of timer. Shared with the
/// simulator.
#[must_use]
pub fn to_review(row: &TimerRow) -> Option<IncidentId> {
    let timer: Timer = decode_row("a timer", &row.payload).ok()?;
    (timer.kind == TimerKind::Review).then_some(timer.incident)
}

/// The engine requests of the timers of what waits for people, one for each person; the other
/// timers are returned too. Shared with the simulator.
#[must_use]
pub fn gathering(due: Vec<TimerRow>) -> (Vec<Request>, Vec<TimerRow>) {
    let mut fired: BTreeMap<PersonId, Vec<TimerKey>> = BTreeMap::new();
    let (pagers, others): (Vec<_>, Vec<_>) =
        due.into_iter().partition(|row| row.key.kind == PAGER_TIMER);
    for row in pagers {
        fired.entry(person_of(&row.key)).or_default().push(row.key);
    }
    let gather = |(person, fired)| Request::Gather { person, fired };
    (fired.into_iter().map(gather).collect(), others)
}

/// The engine request of a review's timer. Shared with the simulator.
#[must_use]
pub fn reviewed(row: TimerRow, incident: IncidentId, review: Review) -> Request {
    caused_by(row, incident, Command::Review(Box::new(review)))
}

fn caused_by(row: TimerRow, incident: IncidentId, command: Command) -> Request {
    Request::Command {
        incident,
        by: Actor::Tocsin,
        command,
        cause: Cause {
            fired: Some(row.key),
            ..Cause::default()
        },
    }
}

fn cancelling(row: TimerRow) -> Request {
    let write = Write {
        timers_take: vec![row.key],
        ..Write::default()
    };
    Request::Write(Box::new(write))
}

#[cfg(test)]
mod tests;
