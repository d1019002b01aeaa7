//! The runtime's loop: does what is due, then sleeps until something is due or new. One iteration,
//! a turn, is a separate function, so that scenarios can run turns themselves.

use std::sync::Arc;
use std::time::Duration;

use tocsin_core::Timestamp;
use tocsin_store::Class;
use tokio_util::sync::CancellationToken;

use crate::runtime::due::Due;
use crate::runtime::error::EngineError;

/// Longest sleep of the loop, in milliseconds, in case a notification is missed.
const SLEEP_MS_MAX: u64 = 1_000;
/// What a turn did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Turn {
    /// Timers that fired.
    pub timers: usize,
    /// Deliveries that went out.
    pub deliveries: usize,
    /// Alerts that the sweep resolved, reassessed or removed.
    pub swept: usize,
}

impl Turn {
    /// Whether nothing was due.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        *self == Self::default()
    }
}

impl Due {
    /// Fires timers and starts deliveries until `stop`, or until the store fails.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        while !stop.is_cancelled() && self.writer.failure().is_none() {
            let pause = match self.due_turn().await {
                Ok(turn) if turn.timers > 0 => continue,
                Ok(_) => self.pause(),
                Err(error) => {
                    tracing::error!(%error, "a turn of the runtime failed; it is retried");
                    Duration::from_millis(SLEEP_MS_MAX)
                }
            };
            tokio::select! {
                () = self.woken.notified() => {}
                () = tokio::time::sleep(pause) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// Sweeps until `stop`, or until the store fails: concurrently with [`run`](Self::run), so that
    /// thousands of alerts that end at once delay no page.
    pub async fn run_sweeps(self: Arc<Self>, stop: CancellationToken) {
        while !stop.is_cancelled() && self.writer.failure().is_none() {
            if let Err(error) = self.sweep_if_due(self.clock.now()).await {
                tracing::error!(%error, "a sweep failed; it is retried");
            }
            if let Err(error) = self.tell_of_shifts(self.clock.now()).await {
                tracing::error!(%error, "nobody could be told of their shift; it is retried");
            }
            let soon = self.clock.now().plus_ms(SLEEP_MS_MAX);
            let pause = self.clock.wait_until(soon);
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// Does everything that is due. A part that fails is reported and does not affect the others: a
    /// damaged alert must not delay pages.
    ///
    /// # Errors
    /// [`EngineError`] when the store failed; what was due stays due.
    pub async fn turn(self: &Arc<Self>) -> Result<Turn, EngineError> {
        let mut turn = self.due_turn().await?;
        turn.swept = unless_fatal(self.sweep_if_due(self.clock.now()).await)?;
        turn.swept += unless_fatal(self.tell_of_shifts(self.clock.now()).await)?;
        Ok(turn)
    }

    /// Fires the timers that are due and starts the deliveries that are ready.
    async fn due_turn(self: &Arc<Self>) -> Result<Turn, EngineError> {
        let now = self.clock.now();
        let timers = unless_fatal(self.fire_due(now).await)?;
        let mut deliveries = 0;
        for class in Class::ALL {
            deliveries += unless_fatal(self.outbox.start_ready(class, now).await)?;
        }
        Ok(Turn {
            timers,
            deliveries,
            swept: 0,
        })
    }

    /// When the next thing is due: a timer, a delivery, a lease's or a wait's
    /// end, a silence's start or end, the day before a shift.
    ///
    /// # Errors
    /// [`EngineError`] when the store cannot be read.
    pub fn next_due(&self) -> Result<Option<Timestamp>, EngineError> {
        let (now, holds_until) = (self.clock.now(), self.leases_hold_until());
        // An alert whose lease has ended and that is still here is in its grace period.
        let held = |at: Timestamp| match at <= now {
            true => at.max(holds_until),
            false => at,
        };
        let (lapse, wait) = (self.leases.next_lapse(), self.leases.next_routed_again());
        let ends = earliest(lapse.map(held), wait.map(held));
        let ends = earliest(ends, self.silences.next_change(now));
        let ends = earliest(ends, self.next_shift());
        Ok(earliest(self.next_delivery_or_timer()?, ends))
    }

    fn next_delivery_or_timer(&self) -> Result<Option<Timestamp>, EngineError> {
        let mut due = self.view.store().next_timer()?;
        for class in Class::ALL {
            due = earliest(due, self.view.store().next_ready(class)?);
        }
        Ok(due)
    }

    fn pause(&self) -> Duration {
        let longest = Duration::from_millis(SLEEP_MS_MAX);
        match self.next_delivery_or_timer() {
            // A full class waits for a slot, whose end wakes the loop; it must not spin on it.
            Ok(Some(due)) => {
                let least = Duration::from_millis(5);
                self.clock.wait_until(due).clamp(least, longest)
            }
            _ => longest,
        }
    }
}

/// What a part of a turn did; a failure is reported and counts as nothing done, unless the store
/// itself is gone.
fn unless_fatal(part: Result<usize, EngineError>) -> Result<usize, EngineError> {
    match part {
        Err(error @ (EngineError::Store(_) | EngineError::Stopping)) => Err(error),
        Err(error) => {
            tracing::error!(%error, "part of a turn failed; it is retried");
            Ok(0)
        }
        done => done,
    }
}

fn earliest(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}
