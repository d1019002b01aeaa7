//! The data of one call's store: the context of the imports, and the limits that the engine
//! enforces.

use super::memory::MemoryLimits;
use crate::capability::Context;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Bytes that one host call may copy out of the guest.
pub(super) const HOSTCALL_BYTES_MAX: usize = 4 << 20;
/// Host calls per call. Their time does not count as the guest's, so without a limit a guest could
/// spin in them.
pub(super) const HOST_CALLS_MAX: u32 = 100_000;

/// Why the host stopped a guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    Cpu,
    Wall,
    HostCalls,
    Replaced,
}

pub(crate) struct CallState {
    pub(crate) context: Context,
    pub(super) memory: MemoryLimits,
    pub(super) stop: Option<Stop>,
    cancelled: Arc<AtomicBool>,
}

impl CallState {
    pub(super) fn new(context: Context, cancelled: Arc<AtomicBool>) -> Self {
        Self {
            memory: MemoryLimits::new(context.shared.rights.limits().memory_bytes),
            context,
            stop: None,
            cancelled,
        }
    }

    /// Counts a tick, and sets `stop` if the guest must stop.
    pub(super) fn check_budget(&mut self) {
        let context = &mut self.context;
        context.stats.ticks += 1;
        let budget = Duration::from_millis(context.shared.rights.limits().cpu_ms);
        self.stop = if self.cancelled.load(Ordering::Relaxed) {
            Some(Stop::Replaced)
        } else if context.meter.used() > budget {
            Some(Stop::Cpu)
        } else if context.stats.host_calls > HOST_CALLS_MAX {
            Some(Stop::HostCalls)
        } else if Instant::now() >= context.facts.deadline {
            Some(Stop::Wall)
        } else {
            None
        };
    }
}
