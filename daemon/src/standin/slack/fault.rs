//! The ways in which a test can make the stand-in fail.

use std::time::Duration;

use super::params::Params;

/// One way to fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// HTTP 200 with `ok: false` and this error.
    NotOk(String),
    /// HTTP 429 with this `Retry-After`.
    RateLimited { retry_after_s: u32 },
    /// This HTTP status, without JSON.
    Status(u16),
    /// The request is read, but it has no effect and never gets a response.
    Hang,
    /// The request takes effect, but never gets a response.
    LoseAnswer,
    /// The request takes effect, and the response comes after this delay.
    Slow(Duration),
}

/// A fault, the methods that it affects, and how often.
#[derive(Clone, Debug)]
pub struct FaultRule {
    pub(super) fault: Fault,
    pub(super) methods: Vec<String>,
    /// What the message says.
    pub(super) saying: Option<String>,
    pub(super) left: Option<u32>,
}

impl FaultRule {
    /// Every request fails like this until the rule is removed.
    #[must_use]
    pub fn always(fault: Fault) -> Self {
        Self {
            fault,
            methods: Vec::new(),
            saying: None,
            left: None,
        }
    }

    /// The next `times` requests fail like this.
    #[must_use]
    pub fn times(times: u32, fault: Fault) -> Self {
        Self {
            fault,
            methods: Vec::new(),
            saying: None,
            left: Some(times),
        }
    }

    /// Limits the rule to this method; may be called several times.
    #[must_use]
    pub fn on(mut self, method: &str) -> Self {
        self.methods.push(method.to_owned());
        self
    }

    /// Limits the rule to direct messages that say this.
    #[must_use]
    pub fn saying(mut self, text: &str) -> Self {
        self.saying = Some(text.to_owned());
        self
    }

    /// The fault for a call of the method, if the rule applies to it; counts the use.
    pub(super) fn apply(&mut self, method: &str, params: &Params) -> Option<Fault> {
        if !self.methods.is_empty() && !self.methods.iter().any(|it| it == method) {
            return None;
        }
        let says = |text: &str| {
            ["text", "blocks"]
                .iter()
                .any(|it| params.text(it).contains(text))
        };
        let is_it = |text: &String| params.text("channel").starts_with('D') && says(text);
        if !self.saying.as_ref().is_none_or(is_it) {
            return None;
        }
        if let Some(left) = &mut self.left {
            *left = left.checked_sub(1)?;
        }
        Some(self.fault.clone())
    }
}
