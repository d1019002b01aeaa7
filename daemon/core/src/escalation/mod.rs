//! Who to page, and when the next step follows unless somebody acknowledges.

pub(crate) mod answer;
mod decide;
mod go_on;
mod hold;
mod pause;
mod plan;
mod state;

pub(crate) use decide::{go_on, replan, step_due, take_step};
pub(crate) use go_on::is_same;
pub use hold::{Hold, HoldStage};
pub(crate) use pause::pause_or_resume;
pub use plan::{PageTarget, Plan, Position, Step, UnknownPageTarget};
pub use state::Escalation;
pub(crate) use state::{later_in_words, narrate};
