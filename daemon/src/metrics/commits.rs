//! Commit times: a histogram for metrics, and the exact times of the newest commits for health
//! checks.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use prometheus_client::metrics::histogram::Histogram;

/// Upper bounds of the commit time histogram, in seconds.
const COMMIT_SECONDS: [f64; 9] = [0.001, 0.002, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0];
/// Most commits whose exact time is kept.
const RECENT_MAX: usize = 512;
/// How long exact times are kept, so that old slowness does not count.
const RECENT_AGE: Duration = Duration::from_secs(300);

/// Commit times: deciding a group, writing it and syncing it.
pub struct Commits {
    pub(super) seconds: Histogram,
    recent_us: Mutex<VecDeque<(Instant, u64)>>,
    under_way: Mutex<Option<Instant>>,
}

/// Times of the newest commits: at most 512, none older than five minutes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CommitTimes {
    /// The number of commits.
    pub count: usize,
    /// The median, in milliseconds, rounded up.
    pub p50_ms: u64,
    /// The 99th percentile, in milliseconds, rounded up.
    pub p99_ms: u64,
    /// How long the commit in progress has been running, in milliseconds; 0 when there is none.
    pub under_way_ms: u64,
}

impl Default for Commits {
    fn default() -> Self {
        Self {
            seconds: Histogram::new(COMMIT_SECONDS),
            recent_us: Mutex::default(),
            under_way: Mutex::default(),
        }
    }
}

impl Commits {
    /// A commit has begun.
    pub fn begin(&self) {
        *self.under_way.lock() = Some(Instant::now());
    }

    /// The commit has ended. One that wrote nothing is not counted.
    pub fn end(&self, has_written: bool) {
        let begun = self.under_way.lock().take();
        if let Some(begun) = begun.filter(|_| has_written) {
            self.took(begun.elapsed());
        }
    }

    /// Times of the newest commits.
    #[must_use]
    pub fn recent(&self) -> CommitTimes {
        let recent = self.recent_us.lock();
        let young = recent.iter().filter(|(at, _)| at.elapsed() < RECENT_AGE);
        let mut times: Vec<u64> = young.map(|(_, us)| *us).collect();
        drop(recent);
        times.sort_unstable();
        let ms_at = |percent: usize| {
            let place = (times.len() * percent).div_ceil(100).saturating_sub(1);
            times.get(place).map_or(0, |us| us.div_ceil(1_000))
        };
        let under_way = self.under_way.lock().map(|begun| begun.elapsed());
        CommitTimes {
            count: times.len(),
            p50_ms: ms_at(50),
            p99_ms: ms_at(99),
            under_way_ms: under_way.map_or(0, |it| it.as_millis().try_into().unwrap_or(u64::MAX)),
        }
    }

    fn took(&self, time: Duration) {
        self.seconds.observe(time.as_secs_f64());
        let mut recent = self.recent_us.lock();
        if recent.len() >= RECENT_MAX {
            recent.pop_front();
        }
        let us = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        recent.push_back((Instant::now(), us));
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
            under_way_ms: 0,
        };
        assert_eq!(commits.recent(), expected);
    }

    #[test]
    fn a_commit_that_wrote_nothing_is_not_counted() {
        let commits = Commits::default();
        commits.begin();
        commits.end(false);
        assert_eq!(commits.recent().count, 0);
        commits.begin();
        commits.end(true);
        assert_eq!(commits.recent().count, 1);
    }
}
