//! Deliveries to plugins and mailboxes, and their outcomes.

pub mod backoff;
pub mod deliver;
mod message;
pub mod outcome;
mod page;
pub mod payload;
pub mod telling;
mod trial;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tocsin_core::Timestamp;
use tocsin_plugin_host::PluginHost;
use tocsin_store::Class;
use tokio::sync::Notify;
use tokio_util::task::TaskTracker;

use crate::mail::Mailer;
use crate::metrics::Metrics;
use crate::runtime::clock::Clock;
use crate::runtime::engine::handle::EngineHandle;
use crate::runtime::engine::request::{Answer, Request};
use crate::runtime::engine::writer::Writer;
use crate::runtime::error::EngineError;
use crate::runtime::outbox::payload::Payloads;
use crate::runtime::state::view::View;

/// How long a claim locks its lane, in milliseconds: longer than any call may take.
const CLAIM_LEASE_MS: u64 = 120_000;

/// Claims deliveries that are ready, sends them, and settles their outcomes.
pub struct Outbox {
    clock: Arc<dyn Clock>,
    view: Arc<View>,
    writer: Writer,
    plugins: Arc<PluginHost>,
    payloads: Payloads,
    mailer: Option<Arc<Mailer>>,
    metrics: Arc<Metrics>,
    woken: Arc<Notify>,
    slots: Slots,
    tasks: TaskTracker,
}

/// The transports of deliveries.
pub struct Transports {
    pub plugins: Arc<PluginHost>,
    /// Builds payloads.
    pub payloads: Payloads,
    /// The mail relay, if one is configured.
    pub mailer: Option<Arc<Mailer>>,
}

impl Outbox {
    /// An outbox; nothing is sent until [`Due`](crate::runtime::Due) runs. `woken` is notified
    /// whenever a slot becomes free.
    #[must_use]
    pub fn new(base: EngineHandle, transports: Transports, woken: Arc<Notify>) -> Self {
        let EngineHandle {
            clock,
            view,
            writer,
            metrics,
        } = base;
        Self {
            clock,
            view,
            writer,
            metrics,
            plugins: transports.plugins,
            payloads: transports.payloads,
            mailer: transports.mailer,
            woken,
            slots: Slots::default(),
            tasks: TaskTracker::new(),
        }
    }

    /// Starts the deliveries of a class that are ready and have a slot; returns how many.
    ///
    /// # Errors
    /// [`EngineError`] when the store failed; what was ready stays ready.
    pub(crate) async fn start_ready(
        self: &Arc<Self>,
        class: Class,
        now: Timestamp,
    ) -> Result<usize, EngineError> {
        let limit = self.slots.free(class);
        let is_ready = self
            .view
            .store()
            .next_ready(class)?
            .is_some_and(|at| at <= now);
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
            let outbox = Arc::clone(self);
            self.tasks.spawn(async move {
                let slot = Slot {
                    outbox: Arc::clone(&outbox),
                    class,
                };
                outbox.deliver(claim).await;
                drop(slot);
            });
        }
        Ok(count)
    }

    /// Waits until no delivery is in progress.
    pub async fn settle_all(&self) {
        self.tasks.close();
        self.tasks.wait().await;
        self.tasks.reopen();
    }
}

/// A slot that is released even if the delivery's task is dropped.
struct Slot {
    outbox: Arc<Outbox>,
    class: Class,
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.outbox
            .slots
            .of(self.class)
            .fetch_sub(1, Ordering::SeqCst);
        self.outbox.woken.notify_one();
    }
}

/// Most concurrent deliveries of each class. Classes do not share slots, so a page never waits for
/// less urgent deliveries. A plugin that hangs has only a few calls in progress, and its other
/// deliveries soon release their slots, so the other plugins still get slots.
const fn slots_of(class: Class) -> usize {
    match class {
        Class::Page => 16,
        Class::Prompt => 8,
        Class::State | Class::Bulk => 32,
    }
}

/// Deliveries in progress, by class.
#[derive(Debug, Default)]
struct Slots([AtomicUsize; 4]);

impl Slots {
    fn of(&self, class: Class) -> &AtomicUsize {
        &self.0[class as usize - 1]
    }

    fn free(&self, class: Class) -> usize {
        slots_of(class).saturating_sub(self.of(class).load(Ordering::SeqCst))
    }
}
