//! Whether an incident is active, may reopen, or is over.

use crate::grading::Grade;
use crate::incident::{Incident, Tally};
use crate::lifecycle::status::Status;
use crate::refusal::Refusal;
use crate::time::in_words;
use crate::{Actor, PersonId, Timestamp, limits};

impl Incident {
    /// Whether it is neither resolved nor closed.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.lifecycle.status.is_active()
    }

    /// Whether whoever is on call next must know of it: drills end with their shift.
    #[must_use]
    pub fn is_handed_over(&self) -> bool {
        self.is_active() && !self.about.drill
    }

    /// Whether an alert that is routed to its key joins it, without a reopening.
    #[must_use]
    pub fn takes_alerts(&self) -> bool {
        self.is_active()
    }

    /// Whether it is active, and not the same as this one.
    #[must_use]
    pub fn is_active_beside(&self, other: &Self) -> bool {
        self.is_active() && self.id != other.id
    }

    /// Whether it is active and nobody has acknowledged it.
    #[must_use]
    pub fn is_unanswered(&self) -> bool {
        self.is_active() && self.lifecycle.acknowledged_at.is_none()
    }

    /// How long an acknowledgement holds now, in milliseconds: as the plan says, or by grade.
    #[must_use]
    pub fn hold_ms(&self) -> u64 {
        let by_grade = match self.grading.grade {
            Grade::Minor => limits::HOLD_MINOR_MS,
            Grade::Major => limits::HOLD_MAJOR_MS,
            Grade::Critical => limits::HOLD_CRITICAL_MS,
        };
        self.escalation.plan.hold_ms.unwrap_or(by_grade)
    }

    /// Whether it is acknowledged, and that must be confirmed.
    #[must_use]
    pub fn wants_answer(&self) -> bool {
        let hold = self.escalation.hold;
        self.is_active() && hold.is_some_and(|it| it.stage.wants_answer())
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
    pub fn may_reopen(&self, tally: &Tally, now: Timestamp, within_ms: u64) -> bool {
        self.lifecycle.status == Status::Resolved
            && self.lifecycle.merged_into.is_none()
            && (self.was_resolved_within(now, within_ms) || tally.reopen_due.is_some())
            && self.lifecycle.reopens < limits::REOPENS_MAX
    }

    /// Whether it is over and can no longer reopen, and the alerts that ended with it say so: then
    /// it may be dropped from memory.
    #[must_use]
    pub fn is_over(&self, tally: &Tally, now: Timestamp, reopen_within_ms: u64) -> bool {
        !self.is_active()
            && !self.was_resolved_within(now, reopen_within_ms)
            && tally.reopen_due.is_none()
            && tally.ending == 0
    }

    /// Who resolved it how long ago, for the log of its reopening; empty if the daemon itself did.
    pub(crate) fn resolved_by_whom(&self, now: Timestamp) -> String {
        let resolve = self.lifecycle.resolved_by_hand();
        resolve.map_or_else(String::new, |it| {
            let ago = in_words(now.since(it.at));
            format!("; {} resolved it {ago} ago", it.by)
        })
    }

    /// When it reopens if an alert still fires then.
    pub(crate) fn reopens_at(&self, within_ms: u64) -> Option<Timestamp> {
        self.lifecycle.resolved_at.map(|at| at.plus_ms(within_ms))
    }

    /// Whether it was resolved less than `within_ms` milliseconds ago.
    pub(crate) fn was_resolved_within(&self, now: Timestamp, within_ms: u64) -> bool {
        let resolved_at = self.lifecycle.resolved_at;
        resolved_at.is_some_and(|at| now.since(at) < within_ms)
    }
}

/// Refuses what needs an active incident, with what to do instead.
pub(crate) fn must_be_active(incident: &Incident, remedy: &'static str) -> Result<(), Refusal> {
    if incident.is_active() {
        return Ok(());
    }
    Err(Refusal::NotActive {
        number: incident.number,
        status: incident.lifecycle.status,
        remedy,
    })
}
