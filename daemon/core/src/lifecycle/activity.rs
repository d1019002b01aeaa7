//! Whether an incident is active, may reopen, or is over.

use crate::incident::Incident;
use crate::lifecycle::status::Status;
use crate::{Actor, PersonId, Timestamp, limits};

impl Incident {
    /// Whether it is neither resolved nor closed.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.lifecycle.status.is_active()
    }

    /// Whether it is active and nobody has acknowledged it.
    #[must_use]
    pub fn is_unanswered(&self) -> bool {
        self.is_active() && self.lifecycle.acknowledged_at.is_none()
    }

    /// Who acknowledged it, while it is active: nobody needs to be told once it is resolved.
    #[must_use]
    pub fn answered_by(&self) -> Option<&Actor> {
        let answered_by = self.lifecycle.acknowledged_by.as_ref();
        answered_by.filter(|_| self.is_active())
    }

    /// Whom it keeps busy: its operator, while it is active.
    #[must_use]
    pub fn keeps_busy(&self) -> Option<&PersonId> {
        let operator = self.roles.operator.as_ref();
        operator.filter(|_| self.is_active())
    }

    /// Whether an alert under its key reopens it at `now`, rather than opening a new one.
    #[must_use]
    pub fn may_reopen(&self, now: Timestamp, within_ms: u64) -> bool {
        self.lifecycle.status == Status::Resolved
            && self.was_resolved_within(now, within_ms)
            && self.lifecycle.reopens < limits::REOPENS_MAX
    }

    /// Whether it is over and can no longer reopen, so that it may be dropped from memory.
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
