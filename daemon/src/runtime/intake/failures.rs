//! Counts recent failures of policy calls and keeps the last error.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How often the same report is logged, so that a broken policy cannot fill the disk.
const REPORT_EVERY: Duration = Duration::from_secs(10);
/// Most failures whose time is kept.
const REMEMBERED_MAX: usize = 1_000;

/// Policy calls that failed.
#[derive(Debug, Default)]
pub struct PolicyFailures {
    times: VecDeque<Instant>,
    last: Option<String>,
    logged: Option<(Instant, String)>,
}

impl PolicyFailures {
    /// Records a failure; returns whether it should be logged.
    pub fn record(&mut self, report: &str) -> bool {
        let now = Instant::now();
        if self.times.len() >= REMEMBERED_MAX {
            self.times.pop_front();
        }
        self.times.push_back(now);
        self.last = Some(report.to_owned());
        let is_known = self
            .logged
            .as_ref()
            .is_some_and(|(at, said)| said == report && now.duration_since(*at) < REPORT_EVERY);
        if !is_known {
            self.logged = Some((now, report.to_owned()));
        }
        !is_known
    }

    /// How many calls failed within the last `span`, at most 1000, and the last error.
    #[must_use]
    pub fn within(&self, span: Duration) -> (usize, Option<String>) {
        let count = self.times.iter().rev();
        let count = count.take_while(|at| at.elapsed() < span).count();
        (count, self.last.clone().filter(|_| count > 0))
    }
}
