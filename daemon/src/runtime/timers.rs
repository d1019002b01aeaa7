//! Timers that are due become commands. The core checks each: one that its incident no longer
//! wants is refused and goes, and the timer is cancelled in the same batch either way.

use std::sync::Arc;

use futures_util::future::join_all;
use tocsin_core::Actor;
use tocsin_core::Timestamp;
use tocsin_core::command::{Command, Refusal};
use tocsin_core::consequences::{Timer, TimerKind};
use tocsin_store::TimerRow;

use super::Runtime;
use super::layout::CORE_TIMER;
use super::request::{Cause, EngineError, Request, Write};
use super::schedules::SCHEDULE_TIMER;
use super::view::decode_row;

/// Timers that one turn fires; the rest follow in the next.
const FIRED_MAX: usize = 256;

impl Runtime {
    /// Fires the timers that are due, and says how many.
    pub(super) async fn fire_due(self: &Arc<Self>, now: Timestamp) -> Result<usize, EngineError> {
        let due = self.store.timers_due(now, FIRED_MAX)?;
        let mut count = 0;
        for outcome in join_all(due.into_iter().map(|row| self.fire(row, now))).await {
            match outcome {
                Err(error @ (EngineError::Store(_) | EngineError::Stopping)) => return Err(error),
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
            other => {
                tracing::error!(kind = other, id = row.key.id, "no release knows this timer");
                self.cancel(row).await
            }
        }
    }

    async fn fire_core(&self, row: TimerRow, now: Timestamp) -> Result<(), EngineError> {
        let timer: Timer = match decode_row("a timer", &row.payload) {
            Ok(timer) => timer,
            Err(error) => {
                tracing::error!(%error, id = row.key.id, "a damaged timer is dropped");
                return self.cancel(row).await;
            }
        };
        let command = match timer.kind {
            TimerKind::Escalation => {
                let Some(held) = self.view.incident(&timer.incident)? else {
                    return self.cancel(row).await;
                };
                let crew = self.assessor.next_crew(&held.incident, now);
                Command::EscalationDue {
                    due: timer.due,
                    crew,
                }
            }
            TimerKind::Contact { page, contact } => {
                let due = timer.due;
                Command::ContactDue { page, contact, due }
            }
            TimerKind::Tally => Command::TallyDue,
            TimerKind::Clear => Command::ClearDue,
        };
        let cause = Cause {
            fired: Some(row.key),
            ..Cause::default()
        };
        let incident = timer.incident;
        let request = Request::Command {
            incident,
            by: Actor::Tocsin,
            command,
            cause,
        };
        match self.writer.ask(request).await {
            Ok(_) => Ok(()),
            Err(EngineError::Refused(Refusal::Stale(what))) => {
                tracing::debug!(what, "a timer fired late and was dropped");
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    async fn cancel(&self, row: TimerRow) -> Result<(), EngineError> {
        let write = Write {
            timers_cancel: vec![row.key],
            ..Write::default()
        };
        self.writer.ask(Request::Write(Box::new(write))).await?;
        Ok(())
    }
}
