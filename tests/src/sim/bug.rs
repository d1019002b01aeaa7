//! Bugs that are planted one at a time, to prove that the checkers detect them. They are in the
//! simulator's store and its policies, never in the daemon.

use tocsin_store::Table;

/// A bug that the simulator's store can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// Sometimes a timer is not set.
    TimerLost,
    /// Sometimes a canceled timer stays.
    TimerStays,
    /// Timers fire half a minute early.
    TimerEarly,
    /// Sometimes a page is not queued with its incident.
    PageForgotten,
    /// A batch is written although a batch that it needs was refused.
    NeedsIgnored,
    /// Sometimes the events of a batch are written twice.
    AppliedTwice,
    /// Commits are answered before they are durable: a crash loses the last one.
    AnsweredEarly,
    /// A ready lane is never claimed.
    LanePassedOver,
    /// Sometimes an incident's tally is not written with its alert.
    TallyForgotten,
    /// Sometimes the history does not get the entry of an alert.
    HistoryForgotten,
    /// Sometimes the row of the open incident of a key is not written.
    KeyForgotten,
    /// The rows of alerts that wait for others say that their wait never ends.
    WaitEndless,
    /// A sender that triggers once is taken for one that repeats, so that a person's resolve stands
    /// against what it triggers next.
    TriggerSwallowed,
    /// A settled claim is delivered again.
    SettleForgotten,
    /// A delivery whose earlier attempt was interrupted is claimed as a first attempt.
    CutOffForgotten,
    /// The row of the last number is written without a guard.
    UnguardedNumber,
    /// The rows of the open incidents of keys are written without guards.
    UnguardedKey,
    /// Tallies are written without guards.
    UnguardedTally,
    /// Alerts are written without a guard on the silences that they were matched against.
    UnguardedSilences,
    /// Incidents open without a guard on the changes that they suspect.
    UnguardedChanges,
    /// Sometimes a message is written without one of the pages that it brings.
    BundleForgetsOne,
    /// Sometimes a question is not queued with its incident.
    QuestionForgotten,
    /// Sometimes a page goes to the rung after the next.
    RungSkipped,
    /// Sometimes the end of an acknowledgement's hold has no timer.
    HoldEndless,
    /// Sometimes nobody is told that the fallback must be paged.
    FallbackForgotten,
    /// A restart forgets one of the overrides of rotations.
    OverrideForgotten,
    /// Sometimes an override ends late.
    OverrideEndsLate,
    /// The trace of a verdict misses a read.
    ReadMissed,
    /// Two deliveries of a lane get the same number, so that the second overwrites the first.
    EqualSeqs,
    /// A timer that is due for two engines is fired by both.
    ScheduleTwice,
}

impl Bug {
    /// The bugs that show with one engine.
    pub const OF_ONE: [Self; 23] = [
        Self::TimerLost,
        Self::TimerStays,
        Self::TimerEarly,
        Self::PageForgotten,
        Self::NeedsIgnored,
        Self::AppliedTwice,
        Self::AnsweredEarly,
        Self::LanePassedOver,
        Self::TallyForgotten,
        Self::HistoryForgotten,
        Self::KeyForgotten,
        Self::WaitEndless,
        Self::TriggerSwallowed,
        Self::SettleForgotten,
        Self::CutOffForgotten,
        Self::ReadMissed,
        Self::BundleForgetsOne,
        Self::QuestionForgotten,
        Self::RungSkipped,
        Self::HoldEndless,
        Self::FallbackForgotten,
        Self::OverrideForgotten,
        Self::OverrideEndsLate,
    ];

    /// The table whose rows are sometimes not written.
    pub(super) fn forgets(self) -> Option<Table> {
        match self {
            Self::PageForgotten => Some(Table::PageQueue),
            Self::TallyForgotten => Some(Table::Tally),
            Self::HistoryForgotten => Some(Table::History),
            Self::KeyForgotten => Some(Table::Key),
            _ => None,
        }
    }

    /// The tables whose rows are written and read without guards.
    pub(super) fn unguards(self) -> &'static [Table] {
        match self {
            Self::UnguardedNumber => &[Table::Meta],
            // Two incidents that open at once are also told apart by their numbers.
            Self::UnguardedKey => &[Table::Key, Table::Meta],
            Self::UnguardedTally => &[Table::Tally],
            Self::UnguardedChanges => &[Table::ServiceChange],
            _ => &[],
        }
    }

    /// The bugs that show with two engines on one store.
    pub const OF_TWO: [Self; 7] = [
        Self::UnguardedNumber,
        Self::UnguardedKey,
        Self::UnguardedTally,
        Self::UnguardedSilences,
        Self::UnguardedChanges,
        Self::EqualSeqs,
        Self::ScheduleTwice,
    ];
}
