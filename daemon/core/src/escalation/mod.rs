//! Who to page, and when the next step follows unless somebody acknowledges.

mod decide;
mod pause;
mod plan;
mod state;

pub(crate) use decide::{has_paged_first_of, replan, step_due, take_step};
pub(crate) use pause::pause_or_resume;
pub use plan::{PageTarget, Plan, Step, UnknownPageTarget};
pub use state::Escalation;
pub(crate) use state::{later_in_words, narrate};
