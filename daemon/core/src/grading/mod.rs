//! The grade of an incident, and who set it. Policies only raise a grade, and never override a
//! person's grade.

mod decide;
mod grade;
mod state;

pub(crate) use decide::{by_hand, may_grade, raise, regrade};
pub use grade::{Grade, Grading, UnknownGrade};
pub use state::GradeState;
pub(crate) use state::narrate;
