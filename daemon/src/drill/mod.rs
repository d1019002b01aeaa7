//! Drills: what happens in them, as a file that people can read and change, and what an incident
//! becomes as one. They are played by `tocsin drill run`, against a running daemon.

mod from;
mod redact;
mod scenario;
mod shipped;

pub(crate) use from::from_incident;
pub(crate) use scenario::{DrillAlert, DrillScenario, DrillStep, Happening};
pub(crate) use shipped::{SHIPPED, shipped};
