//! The state of an incident, composed of the topics' states. Each topic folds its own events.

mod counting;
mod narrate;
mod opening;
mod state;
mod tally;

pub use crate::escalation::Escalation;
pub use crate::escalation::{Hold, HoldStage};
pub use crate::grading::GradeState;
pub use crate::lifecycle::merge::{absorbed, keys_of};
pub use crate::lifecycle::{Lifecycle, MergedInto, Resolve};
pub use crate::log::Ref;
pub use crate::paging::{Attempt, Page, PageState, Paging};
pub use crate::prompts::{Prompt, PromptState, Prompts};
pub use crate::roles::Roles;
pub use counting::ignores_tally;
pub(crate) use counting::{due as tally_due, log as log_tally};
pub(crate) use narrate::narrate;
pub(crate) use opening::open;
pub use opening::{Draft, open_by_hand};
pub use state::{FoldError, Incident, Subject};
pub(crate) use tally::Counted;
pub use tally::{Counts, Tally};
