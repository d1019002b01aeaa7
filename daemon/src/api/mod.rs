//! The API's own types: what requests and answers look like. The endpoints answer with them and
//! the command line reads them, so that neither can misspell a member of the other's JSON.
//! Times are RFC 3339 in UTC. Types only; what is shown to whom is decided where they are made.

mod alerts;
mod daemon;
mod incidents;
mod oncall;
mod problem;
mod tokens;

pub(crate) use alerts::*;
pub(crate) use daemon::*;
pub(crate) use incidents::*;
pub(crate) use oncall::*;
pub(crate) use problem::*;
pub(crate) use tokens::*;
