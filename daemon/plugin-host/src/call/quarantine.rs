//! Suspends calls of a plugin that keeps failing, and probes when to resume them.
//!
//! Without this, a plugin that traps on every event uses up its CPU budget for each delivery of a
//! storm, and its reports flood the log. Time is passed in, so that every path is testable.

use std::collections::VecDeque;

/// Traps and timeouts within the window that put a plugin into quarantine.
pub(crate) const FAULTS_MAX: usize = 5;
/// The window, in milliseconds.
pub(crate) const WINDOW_MS: u64 = 600_000;
/// The first wait before a probe, in milliseconds.
pub(crate) const BACKOFF_MS_MIN: u64 = 1_000;
/// The longest wait before a probe, in milliseconds.
pub(crate) const BACKOFF_MS_MAX: u64 = 300_000;

/// Whether a call may start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    Open,
    /// Allowed; the result of this call decides whether the quarantine ends.
    Probe,
    Closed {
        /// When to try again, in milliseconds since the Unix epoch.
        until_ms: u64,
    },
}

/// The result of a call, as the quarantine counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The guest returned, possibly with a failure of its own.
    Answered,
    /// The guest trapped or was stopped at a limit.
    Faulted,
    /// The call never reached the guest or was aborted by the host.
    Void,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Healthy,
    Waiting { until_ms: u64, backoff_ms: u64 },
    Probing { since_ms: u64, backoff_ms: u64 },
}

/// The state machine, one per generation of a plugin.
#[derive(Debug)]
pub(crate) struct Quarantine {
    state: State,
    faults_ms: VecDeque<u64>,
}

impl Default for Quarantine {
    fn default() -> Self {
        Self {
            state: State::Healthy,
            faults_ms: VecDeque::new(),
        }
    }
}

impl Quarantine {
    /// May a call start at `now_ms`?
    pub(crate) fn admit(&mut self, now_ms: u64) -> Admission {
        match self.state {
            State::Healthy => Admission::Open,
            State::Waiting { until_ms, .. } if now_ms < until_ms => Admission::Closed { until_ms },
            State::Waiting { backoff_ms, .. } => self.probe(now_ms, backoff_ms),
            // A probe that never reports (its task was dropped) must not block calls forever.
            State::Probing {
                since_ms,
                backoff_ms,
            } if now_ms >= since_ms + BACKOFF_MS_MAX => self.probe(now_ms, backoff_ms),
            State::Probing { backoff_ms, .. } => Admission::Closed {
                until_ms: now_ms.saturating_add(backoff_ms),
            },
        }
    }

    /// Records how an admitted call ended. True when this call started a quarantine.
    pub(crate) fn record(&mut self, admission: Admission, ending: Ending, now_ms: u64) -> bool {
        match (admission, ending) {
            (Admission::Probe, Ending::Answered) => {
                *self = Self::default();
                false
            }
            (Admission::Probe, Ending::Faulted) => {
                let backoff_ms = self.backoff().saturating_mul(2).min(BACKOFF_MS_MAX);
                self.wait(now_ms, backoff_ms)
            }
            (Admission::Probe, Ending::Void) => {
                let backoff_ms = self.backoff();
                self.wait(now_ms, backoff_ms)
            }
            (_, Ending::Faulted) if self.state == State::Healthy => self.fault(now_ms),
            _ => false,
        }
    }

    /// When the quarantine ends, if there is one, in milliseconds since the Unix epoch.
    pub(crate) fn closed_until_ms(&self) -> Option<u64> {
        match self.state {
            State::Healthy => None,
            State::Waiting { until_ms, .. } => Some(until_ms),
            State::Probing { since_ms, .. } => Some(since_ms),
        }
    }

    fn fault(&mut self, now_ms: u64) -> bool {
        self.faults_ms
            .retain(|at| at.saturating_add(WINDOW_MS) > now_ms);
        self.faults_ms.push_back(now_ms);
        self.faults_ms.len() >= FAULTS_MAX && self.wait(now_ms, BACKOFF_MS_MIN)
    }

    fn wait(&mut self, now_ms: u64, backoff_ms: u64) -> bool {
        self.faults_ms.clear();
        self.state = State::Waiting {
            until_ms: now_ms.saturating_add(backoff_ms),
            backoff_ms,
        };
        true
    }

    fn probe(&mut self, now_ms: u64, backoff_ms: u64) -> Admission {
        self.state = State::Probing {
            since_ms: now_ms,
            backoff_ms,
        };
        Admission::Probe
    }

    fn backoff(&self) -> u64 {
        match self.state {
            State::Healthy => BACKOFF_MS_MIN,
            State::Waiting { backoff_ms, .. } | State::Probing { backoff_ms, .. } => backoff_ms,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quarantined_at(now_ms: u64) -> Quarantine {
        let mut quarantine = Quarantine::default();
        for _ in 0..FAULTS_MAX {
            assert_eq!(quarantine.admit(now_ms), Admission::Open);
            quarantine.record(Admission::Open, Ending::Faulted, now_ms);
        }
        quarantine
    }

    #[test]
    fn five_faults_within_ten_minutes_block_calls_for_a_second() {
        let mut quarantine = quarantined_at(1_000);
        assert_eq!(
            quarantine.admit(1_999),
            Admission::Closed { until_ms: 2_000 }
        );
        assert_eq!(quarantine.admit(2_000), Admission::Probe);
    }

    #[test]
    fn faults_further_apart_than_the_window_do_not_add_up() {
        let mut quarantine = Quarantine::default();
        for n in 0..20 {
            let now = n * WINDOW_MS / 4;
            assert_eq!(quarantine.admit(now), Admission::Open, "fault {n}");
            quarantine.record(Admission::Open, Ending::Faulted, now);
        }
    }

    #[test]
    fn only_one_probe_runs_at_a_time_and_its_success_ends_the_quarantine() {
        let mut quarantine = quarantined_at(0);
        assert_eq!(quarantine.admit(1_000), Admission::Probe);
        assert!(matches!(quarantine.admit(1_000), Admission::Closed { .. }));
        quarantine.record(Admission::Probe, Ending::Answered, 1_010);
        assert_eq!(quarantine.admit(1_010), Admission::Open);
        assert_eq!(quarantine.closed_until_ms(), None);
    }

    #[test]
    fn each_failed_probe_doubles_the_wait_up_to_five_minutes() {
        let mut quarantine = quarantined_at(0);
        let mut waits = Vec::new();
        let mut now = 1_000;
        for _ in 0..12 {
            assert_eq!(quarantine.admit(now), Admission::Probe);
            quarantine.record(Admission::Probe, Ending::Faulted, now);
            let until = quarantine.closed_until_ms().unwrap();
            waits.push(until - now);
            now = until;
        }
        assert_eq!(waits[..4], [2_000, 4_000, 8_000, 16_000]);
        assert_eq!(waits[11], BACKOFF_MS_MAX);
    }

    #[test]
    fn a_probe_that_never_reached_the_guest_is_retried_after_the_same_wait() {
        let mut quarantine = quarantined_at(0);
        assert_eq!(quarantine.admit(1_000), Admission::Probe);
        quarantine.record(Admission::Probe, Ending::Void, 1_000);
        assert_eq!(quarantine.admit(2_000), Admission::Probe);
    }

    #[test]
    fn a_probe_that_never_reports_does_not_block_calls_forever() {
        let mut quarantine = quarantined_at(0);
        assert_eq!(quarantine.admit(1_000), Admission::Probe);
        assert_eq!(quarantine.admit(1_000 + BACKOFF_MS_MAX), Admission::Probe);
    }

    #[test]
    fn failures_that_the_guest_itself_reports_never_quarantine_it() {
        let mut quarantine = Quarantine::default();
        for now in 0..100 {
            quarantine.record(Admission::Open, Ending::Answered, now);
        }
        assert_eq!(quarantine.admit(100), Admission::Open);
    }
}
