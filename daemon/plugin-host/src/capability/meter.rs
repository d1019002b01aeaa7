//! How long the guest itself has run.
//!
//! Epochs advance while the guest waits for a host call, so counting ticks alone would charge a
//! plugin that makes thirty polite requests for thirty ticks of "CPU", and counting the clock
//! would charge it for its neighbours on a busy machine. So the thread's own CPU clock is read
//! whenever the guest is entered and left, and the ticks only say when to look.

use parking_lot::Mutex;
use rustix::time::{ClockId, clock_gettime};
use std::sync::Arc;
use std::time::Duration;

/// Guest CPU time of one call. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct CpuMeter(Arc<Mutex<Reading>>);

#[derive(Debug, Default)]
struct Reading {
    used: Duration,
    /// The thread's clock when the guest was entered; none while the host works.
    entered: Option<Duration>,
}

impl CpuMeter {
    /// The guest runs from here on, on this thread.
    pub(crate) fn enter(&self) {
        self.0.lock().entered = Some(thread_cpu());
    }

    /// The host works from here on; ends with the pause.
    pub(crate) fn pause(&self) -> Pause {
        let mut reading = self.0.lock();
        if let Some(entered) = reading.entered.take() {
            reading.used += thread_cpu().saturating_sub(entered);
        }
        Pause(self.clone())
    }

    /// What the guest has used.
    pub(crate) fn used(&self) -> Duration {
        let reading = self.0.lock();
        let running = reading
            .entered
            .map_or(Duration::ZERO, |at| thread_cpu().saturating_sub(at));
        reading.used + running
    }
}

/// The host works while this lives.
#[must_use]
pub(crate) struct Pause(CpuMeter);

impl Drop for Pause {
    fn drop(&mut self) {
        self.0.enter();
    }
}

fn thread_cpu() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(now.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(now.tv_nsec).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn burn(time: Duration) {
        let from = thread_cpu();
        while thread_cpu() - from < time {
            std::hint::spin_loop();
        }
    }

    #[test]
    fn work_of_the_host_is_not_charged_to_the_guest() {
        let meter = CpuMeter::default();
        meter.enter();
        burn(Duration::from_millis(5));
        let pause = meter.pause();
        burn(Duration::from_millis(20));
        let before = meter.used();
        drop(pause);
        assert!(before >= Duration::from_millis(5), "{before:?}");
        assert!(before < Duration::from_millis(20), "{before:?}");
    }
}
