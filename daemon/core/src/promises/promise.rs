//! A promise of an update, and how far it is.

use serde::{Deserialize, Serialize};

use crate::{Timestamp, limits};

/// That an audience hears more by a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promise {
    pub made_at: Timestamp,
    pub due: Timestamp,
    pub stage: PromiseStage,
}

/// How far a promise is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PromiseStage {
    Made,
    /// Whoever speaks for the incident was reminded before it was due.
    Reminded,
    /// They were asked for the update when it was due.
    Due,
    /// It was not kept. The audience still waits.
    Broken,
}

/// What became of a promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PromiseOutcome {
    Kept,
    /// The update came after it was due, and before the promise counted as broken.
    Late,
    /// None came within [`PROMISE_GRACE_MS`](limits::PROMISE_GRACE_MS) after it was due.
    Broken,
}

/// How many promises to an audience were kept, and how many were not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromiseCounts {
    pub kept: u64,
    pub late: u64,
    pub broken: u64,
}

impl PromiseCounts {
    pub(super) fn count(&mut self, outcome: PromiseOutcome) {
        match outcome {
            PromiseOutcome::Kept => self.kept += 1,
            PromiseOutcome::Late => self.late += 1,
            PromiseOutcome::Broken => self.broken += 1,
        }
    }

    /// Those of both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            kept: self.kept + other.kept,
            late: self.late + other.late,
            broken: self.broken + other.broken,
        }
    }
}

impl Promise {
    /// When something happens for it; `None` once it is broken.
    #[must_use]
    pub fn next(&self) -> Option<Timestamp> {
        let notice = (self.due.since(self.made_at) / 3).min(limits::PROMISE_NOTICE_MS);
        match self.stage {
            PromiseStage::Made => Some(self.due.minus_ms(notice)),
            PromiseStage::Reminded => Some(self.due),
            PromiseStage::Due => Some(self.due.plus_ms(limits::PROMISE_GRACE_MS)),
            PromiseStage::Broken => None,
        }
    }

    /// How far it is at a time, if nobody posts an update.
    #[must_use]
    pub(super) fn stage_at(&self, now: Timestamp) -> PromiseStage {
        if now >= self.due.plus_ms(limits::PROMISE_GRACE_MS) {
            PromiseStage::Broken
        } else if now >= self.due {
            PromiseStage::Due
        } else {
            PromiseStage::Reminded
        }
    }

    /// What an update at a time makes of it.
    #[must_use]
    pub(super) fn outcome_at(&self, now: Timestamp) -> PromiseOutcome {
        match now <= self.due {
            true => PromiseOutcome::Kept,
            false => PromiseOutcome::Late,
        }
    }
}
