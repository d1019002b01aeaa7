//! The API's own types: what requests and answers look like. The endpoints answer with them and
//! the command line reads them, so that neither can misspell a member of the other's JSON.
//! Times are RFC 3339 in UTC. Types only; what is shown to whom is decided where they are made.

mod alerts;
mod daemon;
mod incidents;
mod oncall;
mod problem;
mod tokens;

pub(crate) use alerts::{AlertLine, AlertList, AlertPlace, AlertQuery};
pub(crate) use daemon::{Health, PluginFault, PluginList, PolicyState};
pub(crate) use incidents::{
    AlertCounts, IncidentDetail, IncidentLine, IncidentList, IncidentQuery, Outcome, PageLine,
    PageState, RefLine, StatusFilter, TimelineLine,
};
pub(crate) use oncall::{OnCall, PersonLine, RotationLine};
pub(crate) use problem::ProblemDetails;
pub(crate) use tokens::{MadeToken, TokenLine, TokenList, WantedToken};
