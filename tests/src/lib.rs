//! Scenarios, the simulator, crash tests, and the harness for testing the program from outside:
//! real senders and receivers, vendors' documents, waiting with a deadline. A test that cannot run
//! on this machine reports that ([`skip`]), so that no skip goes unnoticed.
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
