//! How bad an incident is, and who says so: policies raise a grade and never lower it, and a
//! person's grade stands.

mod decide;
mod grade;
mod state;

pub(crate) use decide::{by_hand, raise, regrade};
pub use grade::{Grade, Grading, UnknownGrade};
pub use state::GradeState;
pub(crate) use state::narrate;
