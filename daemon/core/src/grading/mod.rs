//! The grade of an incident, and who set it. Policies only raise a grade, and never override a
//! person's grade.

mod decide;
mod grade;
mod review;
mod standing;
mod state;

pub(crate) use decide::{by_hand, regrade, settle};
pub use grade::{Grade, Grading, UnknownGrade};
pub(crate) use review::review;
pub use review::{Review, depends_on_surroundings, needs_review};
pub use standing::{AlertGroup, Bounds, Changing, Seen, Standing, Watch};
pub use state::GradeState;
pub(crate) use state::narrate;
