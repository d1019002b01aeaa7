//! How a person is reached: rung by rung of their ladder, until somebody acknowledges.

mod channels;
pub(crate) mod decide;
mod ladder;
mod pager;
mod state;
mod tell;
mod trial;

pub use channels::Channels;
pub(crate) use decide::{Why, answer_own, page_all, skip_unserved};
pub use ladder::{Ladder, LadderRung, Ladders, Rung};
pub use pager::{Arrival, Bundle, Gathered, PageAttempt, Pager, SentMessage, WaitingPage, gather};
pub use state::{Attempt, Page, PageState, Paging};
pub(crate) use tell::{bundled, fallback_due, narrate, notices, settled, timers};
pub use trial::{ShiftNotice, TestOutcome, TestPage, TestState, TooManyTests, tests_to_begin};
