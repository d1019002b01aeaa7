//! Incident-automation daemon.
#![forbid(unsafe_code)]

pub mod config;
pub mod ingest;
pub mod mail;
pub mod oncall;
pub mod silence;
pub mod standin;
pub mod tokens;
