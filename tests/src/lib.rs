//! Whole-system scenarios, crash tests and the harness.
//!
//! What several tests need to see the program from outside: real senders and receivers started on
//! free ports, the vendors' own documents, waiting with a deadline. A test that cannot run here
//! says so by name ([`skip`]), so that nothing is silently unproven.
#![forbid(unsafe_code)]

pub mod crash;
pub mod fuzz;
pub mod paths;
pub mod scenario;
pub mod sim;
pub mod skip;
pub mod spec;
pub mod support;
pub mod wait;
