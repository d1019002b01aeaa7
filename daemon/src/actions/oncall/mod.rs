//! Actions on who is on call: one list of verbs for HTTP, chat and the command line, as for
//! incidents. Each verb is one file. Every action goes through [`change_on_call`], which checks
//! permissions.

mod ask;
mod cancel;
pub(crate) mod chat;
mod over;
mod perform;
mod swap;
mod take;
mod times;
mod verb;

pub(crate) use ask::Answered;
pub(crate) use cancel::Cancel;
pub(crate) use over::Override;
pub(crate) use perform::{OnCallDesk, change_on_call};
pub(crate) use swap::Swap;
pub(crate) use take::Take;
pub(crate) use verb::OnCallVerb;

// Chat's help, the OpenAPI document and the command line show the verbs in this order.
verb::verbs! { Override, Take, Swap, Cancel }

#[cfg(test)]
mod tests;
