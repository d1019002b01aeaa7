//! The source of time. The runtime uses a [`Clock`], so that a scenario can run a night of
//! escalation in milliseconds and the demo in seconds.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tocsin_core::Timestamp;

/// A source of time.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;

    /// How long to wait in real time until this clock shows `due`; zero if it has passed.
    fn wait_until(&self, due: Timestamp) -> Duration;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    fn wait_until(&self, due: Timestamp) -> Duration {
        Duration::from_millis(due.since(self.now()))
    }
}

/// A clock that runs faster than the machine's, for the demo.
#[derive(Debug)]
pub struct FastClock {
    began: Timestamp,
    real: Instant,
    times: u32,
}

impl FastClock {
    /// A clock that shows `began` now and runs `times` times as fast; at least 1.
    #[must_use]
    pub fn new(began: Timestamp, times: u32) -> Self {
        Self {
            began,
            real: Instant::now(),
            times: times.max(1),
        }
    }
}

impl Clock for FastClock {
    fn now(&self) -> Timestamp {
        let real_ms = u64::try_from(self.real.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.began
            .plus_ms(real_ms.saturating_mul(u64::from(self.times)))
    }

    fn wait_until(&self, due: Timestamp) -> Duration {
        Duration::from_millis(due.since(self.now())) / self.times
    }
}

/// A clock that only moves when set, for scenarios.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that shows `now`.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self(AtomicI64::new(now.0))
    }

    /// Moves it to `now`, forwards or backwards.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.0, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }

    /// Never elapses by itself: the clock must be moved.
    fn wait_until(&self, due: Timestamp) -> Duration {
        if due <= self.now() {
            Duration::ZERO
        } else {
            Duration::MAX
        }
    }
}
