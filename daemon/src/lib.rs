//! Incident-automation daemon.

pub mod config;
pub mod ingest;
pub mod mail;
pub mod oncall;
pub mod silence;
pub mod tokens;
