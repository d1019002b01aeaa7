//! Concurrency limits of one plugin's calls, per lane.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Calls that run at the same time per plugin and lane.
pub(crate) const CALLS_PER_LANE: usize = 4;
/// Calls that wait for a slot per plugin and lane; further ones fail and are retried.
const WAITING_CALLS_MAX: usize = 256;
/// How long a call may wait for a slot, in milliseconds.
const SLOT_WAIT_MS_MAX: u64 = 10_000;
/// How long background work may wait for a slot, in milliseconds: while it waits it occupies a
/// slot of the daemon that other plugins could use, and it is retried anyway.
const BACKGROUND_SLOT_WAIT_MS_MAX: u64 = 3_000;

/// Calls queue only within their lane: pages and prompts never wait behind background work, nor do
/// webhooks, whose senders give up within seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LaneKind {
    Urgent,
    Webhook,
    Background,
}

impl LaneKind {
    /// How long a call may wait for its slot. The sender of a webhook gives up after the route's
    /// budget.
    fn slot_wait(self, wall: Duration) -> Duration {
        let longest = Duration::from_millis(SLOT_WAIT_MS_MAX);
        match self {
            Self::Webhook => longest.min(wall),
            Self::Background => Duration::from_millis(BACKGROUND_SLOT_WAIT_MS_MAX),
            Self::Urgent => longest,
        }
    }
}

/// The slots of one lane.
#[derive(Debug)]
struct Lane {
    slots: Arc<Semaphore>,
    waiting: AtomicUsize,
}

impl Default for Lane {
    fn default() -> Self {
        Self {
            slots: Arc::new(Semaphore::new(CALLS_PER_LANE)),
            waiting: AtomicUsize::new(0),
        }
    }
}

/// The lanes of one plugin; they outlive its generations.
#[derive(Debug, Default)]
pub(crate) struct Lanes {
    urgent: Lane,
    webhook: Lane,
    background: Lane,
}

impl Lanes {
    /// Waits for a slot of a lane, for a call that may itself last `wall`.
    pub(super) async fn slot(
        &self,
        kind: LaneKind,
        wall: Duration,
    ) -> Result<OwnedSemaphorePermit, String> {
        take_slot(self.of(kind), kind.slot_wait(wall)).await
    }

    fn of(&self, kind: LaneKind) -> &Lane {
        match kind {
            LaneKind::Urgent => &self.urgent,
            LaneKind::Webhook => &self.webhook,
            LaneKind::Background => &self.background,
        }
    }
}

async fn take_slot(lane: &Lane, slot_wait: Duration) -> Result<OwnedSemaphorePermit, String> {
    /// Decrements the queue length even when the caller gives up.
    struct Queued<'l>(&'l AtomicUsize);
    impl Drop for Queued<'_> {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::Relaxed);
        }
    }
    let ahead = lane.waiting.fetch_add(1, Ordering::Relaxed);
    let _queued = Queued(&lane.waiting);
    if ahead >= WAITING_CALLS_MAX {
        return Err(format!("{ahead} calls of this plugin are already waiting"));
    }
    match tokio::time::timeout(slot_wait, Arc::clone(&lane.slots).acquire_owned()).await {
        Ok(Ok(slot)) => Ok(slot),
        Ok(Err(_closed)) => Err("the plugin was unloaded".into()),
        Err(_elapsed) => Err(format!(
            "all {CALLS_PER_LANE} slots of this plugin are busy"
        )),
    }
}
