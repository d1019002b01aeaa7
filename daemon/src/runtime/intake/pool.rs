//! The threads on which policies run, so that user code that spins until its limit delays no
//! endpoint and no timer. A thread that finishes a call takes the next waiting one, which avoids
//! switches of threads under load.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::runtime::error::EngineError;

/// Most concurrent policy calls.
pub const POLICY_CALLS_MAX: usize = 4;
/// Most calls waiting for a thread; more are refused as overload.
const WAITING_CALLS_MAX: usize = 8_192;
/// How long a call waits for a thread before it counts as overload.
const WAIT_MAX: Duration = Duration::from_secs(5);

/// A call for a thread of the pool. With an error, it has waited too long and must only report
/// that.
type Call = Box<dyn FnOnce(Result<(), EngineError>) + Send>;

/// The pool. Clones are the same pool.
#[derive(Clone, Default)]
pub(crate) struct PolicyPool(Arc<Mutex<Calls>>);

#[derive(Default)]
struct Calls {
    waiting: VecDeque<(Instant, Call)>,
    running: usize,
}

impl PolicyPool {
    /// Runs `call` when there is a thread for it. If too many wait, it is run on the caller's
    /// thread with an error.
    pub(crate) fn run(&self, call: impl FnOnce(Result<(), EngineError>) + Send + 'static) {
        let mut calls = self.0.lock();
        if calls.waiting.len() >= WAITING_CALLS_MAX {
            drop(calls);
            return call(Err(EngineError::Overloaded));
        }
        calls.waiting.push_back((Instant::now(), Box::new(call)));
        if calls.running < POLICY_CALLS_MAX {
            calls.running += 1;
            let pool = self.clone();
            // Ends when no call is waiting.
            drop(tokio::task::spawn_blocking(move || pool.work()));
        }
    }

    fn work(&self) {
        while let Some((since, call)) = self.next() {
            let in_time = match since.elapsed() > WAIT_MAX {
                true => Err(EngineError::Overloaded),
                false => Ok(()),
            };
            // After a panic, the caller gets no answer, which it handles.
            let _panicked = catch_unwind(AssertUnwindSafe(|| call(in_time)));
        }
    }

    /// The next call; if there is none, the thread counts as free from now on.
    fn next(&self) -> Option<(Instant, Call)> {
        let mut calls = self.0.lock();
        let next = calls.waiting.pop_front();
        if next.is_none() {
            calls.running -= 1;
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::mpsc;

    #[tokio::test]
    async fn every_call_is_run_even_after_one_that_panics() {
        let pool = PolicyPool::default();
        let (sender, mut ran) = mpsc::unbounded_channel();
        for n in 0..100 {
            let sender = sender.clone();
            pool.run(move |in_time| {
                assert!(n % 10 > 0, "a panic that must not affect other calls");
                let _gone = sender.send((n, in_time.is_ok()));
            });
        }
        drop(sender);
        let mut seen = Vec::new();
        while let Some((n, in_time)) = ran.recv().await {
            assert!(in_time);
            seen.push(n);
        }
        seen.sort_unstable();
        assert_eq!(seen, (0..100).filter(|n| n % 10 > 0).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn a_call_too_many_is_refused_and_the_threads_are_bounded() {
        let pool = PolicyPool::default();
        let gate = Arc::new(Mutex::new(()));
        let (sender, mut ran) = mpsc::unbounded_channel();
        let closed = gate.lock();
        let all = POLICY_CALLS_MAX + WAITING_CALLS_MAX + 1;
        for _ in 0..all {
            let (sender, gate) = (sender.clone(), Arc::clone(&gate));
            pool.run(move |in_time| {
                if in_time.is_ok() {
                    drop(gate.lock());
                }
                let _gone = sender.send(in_time.is_ok());
            });
        }
        assert_eq!(pool.0.lock().running, POLICY_CALLS_MAX);
        drop((closed, sender));
        let mut in_time = 0;
        for _ in 0..all {
            in_time += usize::from(ran.recv().await.unwrap());
        }
        assert!((WAITING_CALLS_MAX..all).contains(&in_time), "{in_time}");
    }
}
