//! Stand-ins for external services, used by the demo and the tests instead of real accounts.
//!
//! They keep the same state as the real service, refuse and record every invalid request, and can
//! be made to fail in the same ways.

pub mod slack;
