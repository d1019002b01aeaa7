//! Scenarios: executable requirements in plain text.
//!
//! A scenario is a timeline ("at 0s fire …", "within 5m..5m1s paged bob by slack") against the
//! whole program in one process: the real configuration, policies, runtime and Slack plugin, on a
//! virtual clock. Slack and the mail relay are stand-ins that record requests and refuse unexpected
//! ones. Every page must be expected by a line, so that unexpected pages fail too.
//!
//! Each scenario runs twice: once normally, and once with the daemon killed and restarted before
//! every line, after every action and whenever something becomes due. Both runs must agree.
//! `tests/scenarios/README.md` describes the language.

mod action;
mod check;
mod endpoints;
mod fact;
mod messages;
mod perform;
mod play;
mod relay;
mod script;
mod setup;
mod story;
mod tested;
mod words;
mod world;

pub use action::Action;
pub use fact::{Claim, Fact};
pub use play::{Mode, play, run_once};
pub use relay::{Mail, Relay};
pub use script::{Line, Script, What, When};
pub use setup::{Setup, StoreKind};
pub use story::{Page, Story};
pub use world::World;
