//! The runtime's loop: what is due is done, then it sleeps until the next thing is due or
//! something new comes. A turn is a function of its own, so that scenarios take turns by hand.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tocsin_core::Timestamp;
use tocsin_store::Class;
use tokio_util::sync::CancellationToken;

use crate::runtime::Runtime;
use crate::runtime::engine::request::{Answer, EngineError, Request};

/// Longest sleep of the loop, in milliseconds: whatever woke nobody is found this late at most.
const SLEEP_MS_MAX: u64 = 1_000;
/// How long a claim holds its lane, in milliseconds: longer than any call may take.
const CLAIM_LEASE_MS: u64 = 120_000;

/// Deliveries of each class that go out at once. Classes do not share: a page never waits for
/// the slot of a chore. A plugin that hangs has a few calls of its own under way and its other
/// deliveries soon give up their slots here, so with these many the other plugins still have
/// some.
const fn slots_of(class: Class) -> usize {
    match class {
        Class::Page => 16,
        Class::Prompt => 8,
        Class::State | Class::Bulk => 32,
    }
}

/// Deliveries under way, by class.
#[derive(Debug, Default)]
pub(crate) struct Slots([AtomicUsize; 4]);

impl Slots {
    fn of(&self, class: Class) -> &AtomicUsize {
        &self.0[class as usize - 1]
    }

    fn free(&self, class: Class) -> usize {
        slots_of(class).saturating_sub(self.of(class).load(Ordering::SeqCst))
    }
}

/// What a turn did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Turn {
    /// Timers that fired.
    pub timers: usize,
    /// Deliveries that went out.
    pub deliveries: usize,
    /// Alerts that the sweep ended, asked anew or forgot.
    pub swept: usize,
}

impl Turn {
    /// Whether nothing was due.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        *self == Self::default()
    }
}

impl Runtime {
    /// Fires timers and starts deliveries until told to stop, or until the store is gone.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        while !stop.is_cancelled() && self.writer.failure().is_none() {
            let pause = match self.due_turn().await {
                Ok(turn) if turn.timers > 0 => continue,
                Ok(_) => self.pause(),
                Err(error) => {
                    tracing::error!(%error, "a turn of the runtime failed; it is tried again");
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

    /// Sweeps until told to stop, or until the store is gone: beside [`run`](Self::run), so that
    /// thousands of alerts that end at once hold up no page.
    pub async fn run_sweeps(self: Arc<Self>, stop: CancellationToken) {
        while !stop.is_cancelled() && self.writer.failure().is_none() {
            if let Err(error) = self.sweep_if_due(self.clock.now()).await {
                tracing::error!(%error, "a sweep failed; it is tried again");
            }
            let soon = self.clock.now().plus_ms(SLEEP_MS_MAX);
            let pause = self.clock.wait_until(soon);
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = stop.cancelled() => return,
            }
        }
    }

    /// Does all that is due now. A part that fails is reported and does not keep the others from
    /// their turn: a damaged alert must not hold up pages.
    ///
    /// # Errors
    /// [`EngineError`] when the store failed; what was due stays due.
    pub async fn turn(self: &Arc<Self>) -> Result<Turn, EngineError> {
        let mut turn = self.due_turn().await?;
        turn.swept = unless_fatal(self.sweep_if_due(self.clock.now()).await)?;
        Ok(turn)
    }

    /// Fires the timers that are due and starts the deliveries that are ready.
    async fn due_turn(self: &Arc<Self>) -> Result<Turn, EngineError> {
        let now = self.clock.now();
        let timers = unless_fatal(self.fire_due(now).await)?;
        let mut deliveries = 0;
        for class in Class::ALL {
            deliveries += unless_fatal(self.start_deliveries(class, now).await)?;
        }
        Ok(Turn {
            timers,
            deliveries,
            swept: 0,
        })
    }

    /// Waits until no delivery is under way.
    pub async fn settle_deliveries(&self) {
        self.deliveries.close();
        self.deliveries.wait().await;
        self.deliveries.reopen();
    }

    /// When the next thing is due: a timer, a delivery, a lease's end.
    ///
    /// # Errors
    /// [`EngineError`] when the store cannot be read.
    pub fn next_due(&self) -> Result<Option<Timestamp>, EngineError> {
        let (now, holds_until) = (self.clock.now(), self.leases_hold_until());
        // One that ended and is still here was left to hold.
        let lapse = self.leases.next_lapse().map(|at| match at <= now {
            true => at.max(holds_until),
            false => at,
        });
        Ok(earliest(self.next_delivery_or_timer()?, lapse))
    }

    fn next_delivery_or_timer(&self) -> Result<Option<Timestamp>, EngineError> {
        let mut due = self.store.next_timer()?;
        for class in Class::ALL {
            due = earliest(due, self.store.next_ready(class)?);
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

    async fn start_deliveries(
        self: &Arc<Self>,
        class: Class,
        now: Timestamp,
    ) -> Result<usize, EngineError> {
        let limit = self.slots.free(class);
        let is_ready = self.store.next_ready(class)?.is_some_and(|at| at <= now);
        if limit == 0 || !is_ready {
            return Ok(0);
        }
        let request = Request::Claim {
            class,
            limit,
            lease_ms: CLAIM_LEASE_MS,
        };
        let Answer::Claimed(claimed) = self.writer.ask(request).await? else {
            return Ok(0);
        };
        let count = claimed.len();
        for claim in claimed {
            self.slots.of(class).fetch_add(1, Ordering::SeqCst);
            let runtime = Arc::clone(self);
            self.deliveries.spawn(async move {
                let slot = Slot {
                    runtime: Arc::clone(&runtime),
                    class,
                };
                runtime.deliver(claim).await;
                drop(slot);
            });
        }
        Ok(count)
    }
}

/// A slot that is given back, also when a delivery's task is dropped.
struct Slot {
    runtime: Arc<Runtime>,
    class: Class,
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.runtime
            .slots
            .of(self.class)
            .fetch_sub(1, Ordering::SeqCst);
        self.runtime.woken.notify_one();
    }
}

/// What a part of a turn did; a failure is reported and counts as nothing done, unless the store
/// itself is gone.
fn unless_fatal(part: Result<usize, EngineError>) -> Result<usize, EngineError> {
    match part {
        Err(error @ (EngineError::Store(_) | EngineError::Stopping)) => Err(error),
        Err(error) => {
            tracing::error!(%error, "part of a turn failed; it is tried again");
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
