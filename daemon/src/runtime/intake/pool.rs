//! The threads that policies have, and no others: user code that spins until its limit holds up no
//! door and no timer. A thread that ends a call takes the next one that waits, so that a storm
//! costs no change of threads between them.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::runtime::error::EngineError;

/// Policy calls that run at once.
pub const POLICY_CALLS_MAX: usize = 4;
/// Calls that wait for a thread; more are turned away as overload.
const WAITING_CALLS_MAX: usize = 8_192;
/// How long a call waits for a thread before it counts as overload.
const WAIT_MAX: Duration = Duration::from_secs(5);

/// What runs on a thread of the pool. It is told when it has waited too long, and then has only
/// to say so to whoever asked.
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
    /// Runs `call` when there is a thread for it. It is always run, on the thread of the caller
    /// when too many wait.
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
            // It ends by itself, when nothing waits.
            drop(tokio::task::spawn_blocking(move || pool.work()));
        }
    }

    fn work(&self) {
        while let Some((since, call)) = self.next() {
            let in_time = match since.elapsed() > WAIT_MAX {
                true => Err(EngineError::Overloaded),
                false => Ok(()),
            };
            // Whoever waits for its answer learns of a panic by getting none.
            let _panicked = catch_unwind(AssertUnwindSafe(|| call(in_time)));
        }
    }

    /// The next call; without one, the thread counts as free from that moment on.
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
    async fn every_call_is_run_also_after_one_that_panics() {
        let pool = PolicyPool::default();
        let (sender, mut ran) = mpsc::unbounded_channel();
        for n in 0..100 {
            let sender = sender.clone();
            pool.run(move |in_time| {
                assert!(n % 10 > 0, "a panic that is told of and harms nobody");
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
    async fn a_call_too_many_is_turned_away_and_the_threads_are_bounded() {
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
