//! Scenarios: requirements as text that run.
//!
//! A scenario is a timeline ("at 0s fire …", "within 5m..5m1s paged bob by slack") against the
//! whole program in one process: the real configuration, policies, runtime and Slack plugin, on a
//! clock that only the scenario moves. Outside stand a Slack and a mail relay that record what
//! comes and refuse what nobody expects. This prevents the failure of tests that only look for
//! what should happen: here every page must be claimed by a line, and one too many fails.
//!
//! Each scenario is told twice: as it is, and with the daemon killed and started again before
//! every line, after every action and whenever something becomes due. Both must give one story.
//! `tests/scenarios/README.md` describes the language.

mod action;
mod check;
mod deeds;
mod door;
mod fact;
mod play;
mod relay;
mod script;
mod setup;
mod story;
mod words;
mod world;

pub use action::Action;
pub use fact::{Claim, Fact};
pub use play::{Mode, play, tell};
pub use relay::{Letter, Relay};
pub use script::{Line, Script, What, When};
pub use setup::{Keep, Setup};
pub use story::{Page, Story};
pub use world::World;
