//! One loaded state of a plugin, and how a call runs in it.
//!
//! Each call gets a fresh instance in a store of its own and drops both: nothing leaks from one
//! incident to the next, a trap poisons nothing, and memory cannot grow over time. Calls run on
//! the host's own threads, so that a guest between two ticks holds up no one but other guests.

use crate::aot::CodeOrigin;
use crate::call::{CallResult, Failure, TrapReport};
use crate::limits::{
    CALLS_PER_LANE, CHORE_SLOT_WAIT_MS_MAX, HOST_CALLS_MAX, HOSTCALL_BYTES_MAX, SLOT_WAIT_MS_MAX,
    WAITING_CALLS_MAX,
};
use crate::quarantine::{Admission, Ending, Quarantine};
use crate::rate::RateBucket;
use crate::state::{CallState, Shared, Stop};
use crate::trap;
use crate::wit::{Plugin, PluginPre};
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime::{Store, StoreContextMut, UpdateDeadline};

/// Who waits for whom: pages and prompts never queue behind chores, nor do webhooks, whose senders
/// give up within seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LaneKind {
    Urgent,
    Webhook,
    Chore,
}

/// The slots of one lane.
#[derive(Debug)]
pub(crate) struct Lane {
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
    chore: Lane,
}

impl Lanes {
    fn of(&self, kind: LaneKind) -> &Lane {
        match kind {
            LaneKind::Urgent => &self.urgent,
            LaneKind::Webhook => &self.webhook,
            LaneKind::Chore => &self.chore,
        }
    }
}

/// How to make a call.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) export: &'static str,
    /// The delivery's idempotency key.
    pub(crate) delivery: String,
    pub(crate) wall: Duration,
    pub(crate) lane: LaneKind,
    /// Without rights.
    pub(crate) powerless: bool,
}

/// What the guest is to do in its instance.
pub(crate) type Guest<T> = Box<
    dyn for<'a> FnOnce(&'a Plugin, &'a mut Store<CallState>) -> BoxFuture<'a, wasmtime::Result<T>>
        + Send,
>;

/// One loaded state of a plugin.
pub(crate) struct Generation {
    pub(crate) shared: Arc<Shared>,
    pub(crate) pre: PluginPre<CallState>,
    pub(crate) digest: blake3::Hash,
    pub(crate) code: CodeOrigin,
    pub(crate) clearance: bool,
    pub(crate) quarantine: Mutex<Quarantine>,
    pub(crate) last_fault: Mutex<Option<TrapReport>>,
    /// What the operator must mend, as the plugin said in its last call.
    pub(crate) misconfigured: Mutex<Option<String>>,
    pub(crate) rates: [Arc<RateBucket>; 3],
}

impl Generation {
    /// Runs a call: waits for a slot, asks the quarantine, and only then starts the clock. A call
    /// whose caller goes away is finished all the same: half an effect helps nobody.
    pub(crate) async fn run<T: Send + 'static>(
        self: Arc<Self>,
        runtime: &Handle,
        lanes: &Lanes,
        call: Call,
        guest: Guest<T>,
    ) -> CallResult<T> {
        let slot = match take_slot(lanes.of(call.lane), patience(&call)).await {
            Ok(slot) => slot,
            Err(reason) => return CallResult::failed(Failure::Unavailable { reason }),
        };
        let admission = self.quarantine.lock().admit(self.shared.services.now_ms());
        if let Admission::Closed { until_ms } = admission {
            return CallResult::failed(Failure::Quarantined { until_ms });
        }
        let work = async move {
            let this = Arc::clone(&self);
            // A task of its own, so that a panic of the daemon's services ends there.
            let joined = tokio::spawn(async move { this.run_guest(call, guest).await }).await;
            let result = joined.unwrap_or_else(|error| {
                let reason = format!("the plugin host could not finish the call: {error}");
                CallResult::failed(Failure::Unavailable { reason })
            });
            self.note(admission, &result);
            drop(slot);
            result
        };
        runtime.spawn(work).await.unwrap_or_else(|_stopped| {
            let reason = "the plugin host has stopped".to_owned();
            CallResult::failed(Failure::Unavailable { reason })
        })
    }

    /// Remembers whether the plugin can work as it is set up, for `tocsin plugin list`.
    pub(crate) fn note_set_up<T>(&self, result: CallResult<T>) -> CallResult<T> {
        match &result.outcome {
            Ok(_) => *self.misconfigured.lock() = None,
            Err(Failure::Misconfigured { reason }) => {
                *self.misconfigured.lock() = Some(reason.clone());
            }
            Err(_) => {}
        }
        result
    }

    /// Tells the quarantine and the log how a call ended.
    fn note<T>(&self, admission: Admission, result: &CallResult<T>) {
        let now_ms = self.shared.services.now_ms();
        let closed = self
            .quarantine
            .lock()
            .record(admission, ending(result), now_ms);
        if let Err(Failure::Trapped { report } | Failure::LimitReached { report }) = &result.outcome
        {
            tracing::warn!(plugin = report.plugin, export = report.export, "{report}");
            *self.last_fault.lock() = Some((**report).clone());
        }
        if closed {
            let plugin = self.shared.rights.plugin();
            tracing::error!(
                plugin,
                "too many faults: quarantined until a probe succeeds"
            );
        }
    }

    async fn run_guest<T>(self: Arc<Self>, call: Call, guest: Guest<T>) -> CallResult<T> {
        let deadline = Instant::now() + call.wall;
        let mut state = CallState::new(
            Arc::clone(&self.shared),
            call.export,
            call.delivery,
            deadline,
        );
        state.powerless = call.powerless;
        state.rate = Some(Arc::clone(&self.rates[call.lane as usize]));
        let mut store = self.store(state);
        let meter = store.data().meter.clone();
        let working = async {
            meter.enter();
            let plugin = self.pre.instantiate_async(&mut store).await?;
            guest(&plugin, &mut store).await
        };
        let ended = tokio::time::timeout_at(deadline.into(), working).await;
        let _pause = meter.pause();
        let state = store.data();
        let version = &self.shared.rights.manifest().version;
        let outcome = match ended {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(trap::trapped(state, version, &error)),
            Err(_elapsed) => Err(trap::timed_out(state, version)),
        };
        finish(store.into_data(), outcome)
    }

    fn store(&self, state: CallState) -> Store<CallState> {
        let mut store = Store::new(self.pre.engine(), state);
        store.limiter(|state| &mut state.limits);
        store.set_hostcall_fuel(HOSTCALL_BYTES_MAX);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(on_tick);
        store
    }
}

/// How long a call may wait for its slot. The sender of a webhook is gone after the route's budget.
fn patience(call: &Call) -> Duration {
    let longest = Duration::from_millis(SLOT_WAIT_MS_MAX);
    match call.lane {
        LaneKind::Webhook => longest.min(call.wall),
        LaneKind::Chore => Duration::from_millis(CHORE_SLOT_WAIT_MS_MAX),
        LaneKind::Urgent => longest,
    }
}

/// Looks at the guest's budget, once per tick while the guest runs.
fn on_tick(mut context: StoreContextMut<'_, CallState>) -> wasmtime::Result<UpdateDeadline> {
    let state = context.data_mut();
    state.stats.ticks += 1;
    let budget = Duration::from_millis(state.shared.rights.limits().cpu_ms);
    state.stop = if state.shared.cancelled.load(Ordering::Relaxed) {
        Some(Stop::Replaced)
    } else if state.meter.used() > budget {
        Some(Stop::Cpu)
    } else if state.stats.host_calls > HOST_CALLS_MAX {
        Some(Stop::HostCalls)
    } else if Instant::now() >= state.deadline {
        Some(Stop::Wall)
    } else {
        None
    };
    if state.stop.is_some() {
        return Ok(UpdateDeadline::Interrupt);
    }
    let pause = state.meter.pause();
    let others = async move {
        tokio::task::yield_now().await;
        drop(pause);
    };
    Ok(UpdateDeadline::YieldCustom(1, Box::pin(others)))
}

async fn take_slot(lane: &Lane, patience: Duration) -> Result<OwnedSemaphorePermit, String> {
    /// Leaves the queue even when the caller gives up.
    struct Queued<'l>(&'l AtomicUsize);
    impl Drop for Queued<'_> {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::Relaxed);
        }
    }
    let ahead = lane.waiting.fetch_add(1, Ordering::Relaxed);
    let _queued = Queued(&lane.waiting);
    if ahead >= WAITING_CALLS_MAX {
        return Err(format!("{ahead} calls of this plugin are waiting already"));
    }
    match tokio::time::timeout(patience, Arc::clone(&lane.slots).acquire_owned()).await {
        Ok(Ok(slot)) => Ok(slot),
        Ok(Err(_closed)) => Err("the plugin was unloaded".into()),
        Err(_elapsed) => Err(format!(
            "all {CALLS_PER_LANE} slots of this plugin are busy"
        )),
    }
}

fn finish<T>(state: CallState, outcome: Result<T, Failure>) -> CallResult<T> {
    let mut stats = state.stats;
    let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    stats.cpu_us = micros(state.meter.used());
    stats.wall_us = micros(state.started.elapsed());
    stats.effects_unknown = u32::try_from(state.effects_unknown.len()).unwrap_or(u32::MAX);
    stats.memory_bytes = state.limits.memory_bytes() as u64;
    let jobs = if outcome.is_ok() {
        state.jobs
    } else {
        Vec::new()
    };
    CallResult {
        outcome,
        jobs,
        log: state.log,
        stats,
        denials: state.denials,
        http: state.http,
    }
}

fn ending<T>(result: &CallResult<T>) -> Ending {
    match &result.outcome {
        Err(Failure::Trapped { .. } | Failure::LimitReached { .. }) => Ending::Faulted,
        Err(Failure::Unavailable { .. } | Failure::Refused { .. }) => Ending::Void,
        _ => Ending::Answered,
    }
}
