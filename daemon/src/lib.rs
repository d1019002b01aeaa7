//! Incident-automation daemon.
