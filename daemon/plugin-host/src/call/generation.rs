//! A generation: one loaded version of a plugin with its settings, and how a call runs in it.
//!
//! Each call gets a new instance in its own store and drops both: nothing leaks from one incident
//! to the next, a trap cannot corrupt later calls, and memory cannot grow over time. Calls run on
//! the host's own threads, so that a guest between two ticks blocks only other guests.

use super::lanes::{LaneKind, Lanes};
use super::quarantine::{Admission, Ending, Quarantine};
use super::result::{CallResult, Failure, TrapReport};
use super::state::{CallState, HOSTCALL_BYTES_MAX};
use super::trap;
use crate::capability::{CallFacts, Context, RateBucket, Shared};
use crate::wit::{Plugin, PluginPre};
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use wasmtime::{Store, StoreContextMut, UpdateDeadline};

/// The parameters of a call.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) export: &'static str,
    /// The delivery's idempotency key.
    pub(crate) delivery: String,
    pub(crate) wall: Duration,
    pub(crate) lane: LaneKind,
    pub(crate) without_rights: bool,
}

/// The call into the guest, given its instance.
pub(crate) type Guest<T> = Box<
    dyn for<'a> FnOnce(&'a Plugin, &'a mut Store<CallState>) -> BoxFuture<'a, wasmtime::Result<T>>
        + Send,
>;

/// Where a component's compiled code came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CodeOrigin {
    Cached,
    /// At this load.
    Compiled,
}

/// Code that is ready to be instantiated.
pub(crate) struct Code {
    pub(crate) pre: PluginPre<CallState>,
    pub(crate) digest: blake3::Hash,
    pub(crate) origin: CodeOrigin,
}

/// One loaded version of a plugin with its settings.
pub(crate) struct Generation {
    pub(crate) shared: Arc<Shared>,
    pub(crate) code: Code,
    pub(crate) clearance: bool,
    pub(crate) quarantine: Mutex<Quarantine>,
    pub(crate) last_fault: Mutex<Option<TrapReport>>,
    /// What the operator must correct, according to the plugin's last call.
    pub(crate) misconfigured: Mutex<Option<String>>,
    /// One per lane.
    http_rates: [Arc<RateBucket>; 3],
    /// Set when it was replaced and its drain time is over.
    pub(crate) cancelled: Arc<AtomicBool>,
}

impl Generation {
    pub(crate) fn new(shared: Shared, code: Code, clearance: bool) -> Self {
        let per_min = shared.rights.limits().http_per_min;
        Self {
            shared: Arc::new(shared),
            code,
            clearance,
            quarantine: Mutex::default(),
            last_fault: Mutex::default(),
            misconfigured: Mutex::default(),
            http_rates: std::array::from_fn(|_| Arc::new(RateBucket::new(per_min))),
            cancelled: Arc::default(),
        }
    }

    /// Runs a call: waits for a slot, checks the quarantine, and only then starts the clock. A
    /// call whose caller goes away still runs to its end: half an effect is worse than a whole one.
    pub(crate) async fn run<T: Send + 'static>(
        self: Arc<Self>,
        runtime: &Handle,
        lanes: &Lanes,
        call: Call,
        guest: Guest<T>,
    ) -> CallResult<T> {
        let slot = match lanes.slot(call.lane, call.wall).await {
            Ok(slot) => slot,
            Err(reason) => return CallResult::failed(Failure::Unavailable { reason }),
        };
        let admission = self.quarantine.lock().admit(self.shared.services.now_ms());
        if let Admission::Closed { until_ms } = admission {
            return CallResult::failed(Failure::Quarantined { until_ms });
        }
        let work = async move {
            let this = Arc::clone(&self);
            // A separate task contains panics of the daemon's services.
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

    /// Records whether the plugin reports a misconfiguration, for `tocsin plugin list`.
    pub(crate) fn note_misconfiguration<T>(&self, result: CallResult<T>) -> CallResult<T> {
        match &result.outcome {
            Ok(_) => *self.misconfigured.lock() = None,
            Err(Failure::Misconfigured { reason }) => {
                *self.misconfigured.lock() = Some(reason.clone());
            }
            Err(_) => {}
        }
        result
    }

    /// Reports the end of a call to the quarantine and the log.
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
        let facts = CallFacts {
            export: call.export,
            delivery: call.delivery,
            without_rights: call.without_rights,
            http_rate: Arc::clone(&self.http_rates[call.lane as usize]),
            deadline,
        };
        let context = Context::new(Arc::clone(&self.shared), facts);
        let mut store = self.store(CallState::new(context, Arc::clone(&self.cancelled)));
        let meter = store.data().context.meter.clone();
        let working = async {
            meter.enter();
            let plugin = self.code.pre.instantiate_async(&mut store).await?;
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
        let mut store = Store::new(self.code.pre.engine(), state);
        store.limiter(|state| &mut state.memory);
        store.set_hostcall_fuel(HOSTCALL_BYTES_MAX);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(on_tick);
        store
    }
}

/// Checks the guest's budget, once per tick while the guest runs.
fn on_tick(mut store: StoreContextMut<'_, CallState>) -> wasmtime::Result<UpdateDeadline> {
    let state = store.data_mut();
    state.check_budget();
    if state.stop.is_some() {
        return Ok(UpdateDeadline::Interrupt);
    }
    let pause = state.context.meter.pause();
    let others = async move {
        tokio::task::yield_now().await;
        drop(pause);
    };
    Ok(UpdateDeadline::YieldCustom(1, Box::pin(others)))
}

fn finish<T>(state: CallState, outcome: Result<T, Failure>) -> CallResult<T> {
    let CallState {
        context, memory, ..
    } = state;
    let mut stats = context.stats;
    let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    stats.cpu_us = micros(context.meter.used());
    stats.wall_us = micros(context.started.elapsed());
    stats.effects_unknown = u32::try_from(context.effects_unknown.len()).unwrap_or(u32::MAX);
    stats.memory_bytes = memory.memory_bytes() as u64;
    let jobs = if outcome.is_ok() {
        context.jobs.jobs
    } else {
        Vec::new()
    };
    CallResult {
        outcome,
        jobs,
        log: context.log,
        stats,
        denials: context.denials,
        http: context.http,
    }
}

fn ending<T>(result: &CallResult<T>) -> Ending {
    match &result.outcome {
        Err(Failure::Trapped { .. } | Failure::LimitReached { .. }) => Ending::Faulted,
        Err(Failure::Unavailable { .. } | Failure::Refused { .. }) => Ending::Void,
        _ => Ending::Answered,
    }
}
