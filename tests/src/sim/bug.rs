//! Known bugs, planted one at a time, to prove that the checkers bite. Each sits in the
//! simulator's own store and never in the daemon.

/// A bug that the simulator's store can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// Now and then a timer is not set.
    TimerLost,
    /// Now and then a timer that is cancelled stays.
    TimerStays,
    /// Timers come half a minute before they are due.
    TimerEarly,
    /// Now and then a page is not queued with the incident that wants it.
    PageForgotten,
    /// A batch is written although one that it needs was refused.
    NeedsIgnored,
    /// Now and then the events of a batch are written twice.
    AppliedTwice,
    /// What is committed is answered before it is durable: a crash takes the last commit back.
    AnsweredEarly,
    /// A lane that is ready is never given out.
    LanePassedOver,
    /// Now and then an incident's tally is not written with its alert.
    TallyForgotten,
    /// Now and then the row that says which incident is open under a key is not written.
    KeyForgotten,
    /// A claim that was settled comes again.
    SettleForgotten,
    /// A delivery whose earlier attempt was cut off is claimed as if it were its first.
    CutOffForgotten,
    /// The row of the last number is written without a guard.
    UnguardedNumber,
    /// The rows that say which incident is open under a key are written without guards.
    UnguardedKey,
    /// Tallies are written without guards.
    UnguardedTally,
    /// Two deliveries of a lane get one number, so that the second takes the place of the first.
    EqualSeqs,
    /// A timer that two engines see due is fired by both.
    ScheduleTwice,
}

impl Bug {
    /// The bugs that one engine can show.
    pub const OF_ONE: [Self; 12] = [
        Self::TimerLost,
        Self::TimerStays,
        Self::TimerEarly,
        Self::PageForgotten,
        Self::NeedsIgnored,
        Self::AppliedTwice,
        Self::AnsweredEarly,
        Self::LanePassedOver,
        Self::TallyForgotten,
        Self::KeyForgotten,
        Self::SettleForgotten,
        Self::CutOffForgotten,
    ];

    /// The bugs that show when two engines work on one store.
    pub const OF_TWO: [Self; 5] = [
        Self::UnguardedNumber,
        Self::UnguardedKey,
        Self::UnguardedTally,
        Self::EqualSeqs,
        Self::ScheduleTwice,
    ];
}
