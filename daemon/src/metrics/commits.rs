//! How long commits take: as a histogram for those who watch from outside, and of the newest few
//! exactly, for who asks right now.

use std::collections::VecDeque;
use std::time::Duration;

use parking_lot::Mutex;
use prometheus_client::metrics::histogram::Histogram;

/// Upper bounds of the time that a commit takes, in seconds.
const COMMIT_SECONDS: [f64; 9] = [0.001, 0.002, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0];
/// Commits that are remembered exactly.
const RECENT_MAX: usize = 512;

/// How long commits took: deciding a group, writing it and syncing it.
pub struct Commits {
    pub(super) seconds: Histogram,
    recent_us: Mutex<VecDeque<u64>>,
}

/// How long the newest commits took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CommitTimes {
    /// How many these are; at most 512.
    pub count: usize,
    /// Half of them took no longer than this, in milliseconds, rounded up.
    pub p50_ms: u64,
    /// 99 of 100 took no longer than this, in milliseconds, rounded up.
    pub p99_ms: u64,
}

impl Default for Commits {
    fn default() -> Self {
        Self {
            seconds: Histogram::new(COMMIT_SECONDS),
            recent_us: Mutex::default(),
        }
    }
}

impl Commits {
    /// A commit took this long.
    pub fn took(&self, time: Duration) {
        self.seconds.observe(time.as_secs_f64());
        let mut recent = self.recent_us.lock();
        if recent.len() >= RECENT_MAX {
            recent.pop_front();
        }
        recent.push_back(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
    }

    /// How long the newest took.
    #[must_use]
    pub fn recent(&self) -> CommitTimes {
        let mut times: Vec<u64> = self.recent_us.lock().iter().copied().collect();
        times.sort_unstable();
        let ms_at = |percent: usize| {
            let place = (times.len() * percent).div_ceil(100).saturating_sub(1);
            times.get(place).map_or(0, |us| us.div_ceil(1_000))
        };
        CommitTimes {
            count: times.len(),
            p50_ms: ms_at(50),
            p99_ms: ms_at(99),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_newest_commits() {
        let commits = Commits::default();
        assert_eq!(commits.recent(), CommitTimes::default());
        for _ in 0..RECENT_MAX {
            commits.took(Duration::from_secs(9));
        }
        for ms in 1..=RECENT_MAX as u64 {
            commits.took(Duration::from_millis(ms));
        }
        let expected = CommitTimes {
            count: RECENT_MAX,
            p50_ms: 256,
            p99_ms: 507,
        };
        assert_eq!(commits.recent(), expected);
    }
}
