//! Questions to a person that are answered with one button, once.

mod decide;
mod question;
mod state;
mod tell;

pub(crate) use decide::{answer, expire};
pub use question::{Choice, Question};
pub use state::{Prompt, PromptState, Prompts};
pub(crate) use tell::{narrate, notice, settled, timers};
