//! Questions to a person that are answered with one button, once. A question goes out as a page
//! does, in a message with others to the same person, and to the person's next contact if a channel
//! does not accept it.

mod ask;
mod decide;
mod operator;
mod question;
mod state;
mod tell;

pub(crate) use ask::{ask, withdraw};
pub(crate) use decide::{accepted, answer, due, failed};
pub(crate) use operator::{operator_due, operator_timers};
pub use question::{Choice, Question};
pub use state::{Prompt, PromptState, Prompts};
pub(crate) use tell::{narrate, notice, settled, timers};
