//! Policy calls that failed, as far as somebody who looks must know them: how many of late, and
//! what the last one said.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// How often the same report goes to the log: a broken policy in a storm fills no disk.
const REPORT_EVERY: Duration = Duration::from_secs(10);
/// Failures whose time is remembered.
const REMEMBERED_MAX: usize = 1_000;

/// Policy calls that failed.
#[derive(Debug, Default)]
pub struct PolicyFailures {
    times: VecDeque<Instant>,
    last: Option<String>,
    logged: Option<(Instant, String)>,
}

impl PolicyFailures {
    /// Notes a failure; whether it should go to the log.
    pub fn is_news(&mut self, report: &str) -> bool {
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

    /// How many calls failed within the last `span`, counted to a thousand, and what the last
    /// of them said.
    #[must_use]
    pub fn within(&self, span: Duration) -> (usize, Option<String>) {
        let count = self.times.iter().rev();
        let count = count.take_while(|at| at.elapsed() < span).count();
        (count, self.last.clone().filter(|_| count > 0))
    }
}
