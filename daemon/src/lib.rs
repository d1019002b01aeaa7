//! Incident-automation daemon.

pub mod ingest;
pub mod silence;
