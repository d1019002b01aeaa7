//! The ways in which Slack fails, to be switched on by a test.

use std::time::Duration;

/// One way to fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// HTTP 200 with `ok: false` and this error.
    NotOk(String),
    /// HTTP 429 with `Retry-After` of so many seconds.
    RateLimited {
        /// What `Retry-After` says.
        retry_after_s: u32,
    },
    /// This HTTP status, without JSON.
    Status(u16),
    /// The request is read, nothing is done and no answer ever comes.
    Hang,
    /// The effect takes place and its answer never comes.
    LoseAnswer,
    /// The effect takes place and is answered this much later.
    Slow(Duration),
}

/// A fault, where it strikes and how often.
#[derive(Clone, Debug)]
pub struct FaultRule {
    pub(super) fault: Fault,
    pub(super) methods: Vec<String>,
    pub(super) left: Option<u32>,
}

impl FaultRule {
    /// Every request fails so, until healed.
    #[must_use]
    pub fn always(fault: Fault) -> Self {
        Self {
            fault,
            methods: Vec::new(),
            left: None,
        }
    }

    /// The next `times` requests fail so.
    #[must_use]
    pub fn times(times: u32, fault: Fault) -> Self {
        Self {
            fault,
            methods: Vec::new(),
            left: Some(times),
        }
    }

    /// The same, for this method only; may be given several times.
    #[must_use]
    pub fn on(mut self, method: &str) -> Self {
        self.methods.push(method.to_owned());
        self
    }

    /// Takes one strike, if the rule applies to the method.
    pub(super) fn strike(&mut self, method: &str) -> Option<Fault> {
        if !self.methods.is_empty() && !self.methods.iter().any(|it| it == method) {
            return None;
        }
        if let Some(left) = &mut self.left {
            *left = left.checked_sub(1)?;
        }
        Some(self.fault.clone())
    }
}
