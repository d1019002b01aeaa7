//! Actions on incidents: one list of verbs for HTTP, chat, the command line and plugins.
//! Each verb is one file; those of [`oncall`] belong to no incident. Every action goes through
//! [`perform`], and every incident that is opened by hand through [`open`]; both check permissions.

mod ack;
mod acknowledge;
mod answer;
mod authorize;
pub(crate) mod chat;
mod clear;
mod close;
mod confirm;
mod grade;
mod handoff;
mod help_wanted;
mod join;
mod log;
mod merge;
mod mitigate;
pub(crate) mod oncall;
mod open;
mod page;
mod perform;
mod reassign;
mod reopen;
mod resolve;
mod silence;
mod snooze;
mod task;
mod test_page;
mod unack;
mod update;
mod verb;

pub(crate) use ack::Ack;
pub(crate) use acknowledge::{Paged, acknowledge};
pub(crate) use answer::{Asked, answer};
pub(crate) use authorize::{Caller, Denied};
pub(crate) use clear::Clear;
pub(crate) use close::Close;
pub(crate) use confirm::Confirm;
pub(crate) use grade::Grade;
pub(crate) use handoff::Handoff;
pub(crate) use help_wanted::HelpWanted;
pub(crate) use join::Join;
pub(crate) use log::Log;
pub(crate) use merge::Merge;
pub(crate) use mitigate::Mitigate;
pub(crate) use open::{NewIncident, open};
pub(crate) use page::Page;
pub(crate) use perform::{NotDone, perform};
pub(crate) use reassign::Reassign;
pub(crate) use reopen::Reopen;
pub(crate) use resolve::Resolve;
pub(crate) use silence::{NewSilence, SilenceLine, parsed_matchers, set_silence};
pub(crate) use snooze::Snooze;
pub(crate) use task::Task;
pub(crate) use test_page::{press_test, test_pages};
pub(crate) use unack::Unack;
pub(crate) use update::Update;
pub(crate) use verb::{ListedVerb, Verb};

// Chat's help, the OpenAPI document and the command line show the verbs in this order.
verb::verbs! {
    Ack, Unack, Snooze, Page, Reassign, Handoff, HelpWanted, Join, Update, Task, Confirm, Clear,
    Grade, Log, Mitigate, Merge, Resolve, Reopen, Close,
}

#[cfg(test)]
mod tests;
