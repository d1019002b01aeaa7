//! From the opening to the end: acknowledge, mitigate, resolve, reopen, close.

mod decide;
mod status;

use serde::{Deserialize, Serialize};

use crate::event::{Event, Recorded};
use crate::incident::Incident;
use crate::{Timestamp, limits};

pub(crate) use decide::{acknowledge, clear_due, close, mitigate, resolve};
pub use status::{Status, UnknownStatus};

/// An incident's status, and since when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lifecycle {
    /// The status.
    pub status: Status,
    /// When it began.
    pub opened_at: Timestamp,
    /// When somebody acknowledged it; `None` after a reopen.
    pub acknowledged_at: Option<Timestamp>,
    /// When it was mitigated.
    pub mitigated_at: Option<Timestamp>,
    /// When it was resolved.
    pub resolved_at: Option<Timestamp>,
    /// How often it was reopened.
    pub reopens: u32,
}

impl Lifecycle {
    pub(crate) fn opened(at: Timestamp) -> Self {
        Self {
            status: Status::Open,
            opened_at: at,
            acknowledged_at: None,
            mitigated_at: None,
            resolved_at: None,
            reopens: 0,
        }
    }

    pub(crate) fn fold(&mut self, event: &Event, at: Timestamp) {
        match event {
            Event::Acknowledged { .. } => {
                self.acknowledged_at.get_or_insert(at);
            }
            Event::Mitigated { .. } => {
                self.status = Status::Mitigated;
                self.mitigated_at = Some(at);
            }
            Event::Resolved { .. } => {
                self.status = Status::Resolved;
                self.resolved_at = Some(at);
            }
            Event::Reopened { .. } => {
                *self = Self {
                    opened_at: self.opened_at,
                    reopens: self.reopens + 1,
                    ..Self::opened(at)
                };
            }
            Event::Closed {} => self.status = Status::Closed,
            _ => {}
        }
    }
}

impl Incident {
    /// Whether people are at it: it was not resolved or closed.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.lifecycle.status.is_active()
    }

    /// Whether it is active and nobody has acknowledged it.
    #[must_use]
    pub fn is_unanswered(&self) -> bool {
        self.is_active() && self.lifecycle.acknowledged_at.is_none()
    }

    /// Whether an alert under its key brings it back at `now`, rather than opening another.
    #[must_use]
    pub fn may_reopen(&self, now: Timestamp, within_ms: u64) -> bool {
        self.lifecycle.status == Status::Resolved
            && self.was_resolved_within(now, within_ms)
            && self.lifecycle.reopens < limits::REOPENS_MAX
    }

    /// Whether it is over and can no longer come back, so that memory may let go of it.
    #[must_use]
    pub fn is_over(&self, now: Timestamp, reopen_within_ms: u64) -> bool {
        !self.is_active() && !self.was_resolved_within(now, reopen_within_ms)
    }

    /// Whether it was resolved less than `within_ms` milliseconds ago.
    pub(crate) fn was_resolved_within(&self, now: Timestamp, within_ms: u64) -> bool {
        let resolved_at = self.lifecycle.resolved_at;
        resolved_at.is_some_and(|at| now.since(at) < within_ms)
    }
}

pub(crate) fn narrate(recorded: &Recorded) -> Option<String> {
    let by = &recorded.by;
    let text = match &recorded.event {
        Event::Acknowledged { via } => format!("{by} acknowledged through {via}"),
        Event::Mitigated { reason } => format!("{by} mitigated it: {reason}"),
        Event::Resolved { reason, .. } => format!("resolved by {by}: {reason}"),
        Event::Reopened { reason } => format!("reopened: {reason}"),
        Event::Closed {} => format!("{by} closed it"),
        _ => return None,
    };
    Some(text)
}
