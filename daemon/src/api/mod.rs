//! The API's request and response types, shared by the endpoints and the command line.
//! Times are RFC 3339 in UTC. Code that builds these types decides what a caller may see.

mod alerts;
mod daemon;
mod decisions;
mod drills;
mod hours;
mod incidents;
mod load;
mod oncall;
mod page_tests;
mod problem;
mod reports;
mod silences;
mod tokens;

pub(crate) use alerts::*;
pub(crate) use daemon::*;
pub(crate) use decisions::*;
pub(crate) use drills::*;
pub(crate) use hours::*;
pub(crate) use incidents::*;
pub(crate) use load::*;
pub(crate) use oncall::*;
pub(crate) use page_tests::*;
pub(crate) use problem::*;
pub(crate) use reports::*;
pub(crate) use silences::*;
pub(crate) use tokens::*;
