//! Measures the guest's own CPU time.
//!
//! Epochs also advance while the guest waits for a host call, so counting ticks would charge a
//! plugin for waiting, and wall-clock time would charge it for other load on the machine. So the
//! thread's CPU clock is read whenever the guest is entered and left, and ticks only trigger the
//! check.

use parking_lot::Mutex;
use rustix::time::{ClockId, clock_gettime};
use std::sync::Arc;
use std::time::Duration;

/// Guest CPU time of one call. Clones share the measurement.
#[derive(Debug, Clone, Default)]
pub(crate) struct CpuMeter(Arc<Mutex<Reading>>);

#[derive(Debug, Default)]
struct Reading {
    used: Duration,
    /// The thread's CPU clock when the guest was entered; none while the host runs.
    entered: Option<Duration>,
}

impl CpuMeter {
    /// Starts charging the guest, on this thread.
    pub(crate) fn enter(&self) {
        self.0.lock().entered = Some(thread_cpu());
    }

    /// Stops charging the guest until the returned pause is dropped.
    pub(crate) fn pause(&self) -> Pause {
        let mut reading = self.0.lock();
        if let Some(entered) = reading.entered.take() {
            reading.used += thread_cpu().saturating_sub(entered);
        }
        Pause(self.clone())
    }

    /// The guest's CPU time so far.
    pub(crate) fn used(&self) -> Duration {
        let reading = self.0.lock();
        let running = reading
            .entered
            .map_or(Duration::ZERO, |at| thread_cpu().saturating_sub(at));
        reading.used + running
    }
}

/// The guest is not charged while this exists.
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
