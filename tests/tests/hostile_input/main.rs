//! Hostile input: the fuzz corpus, requests that are oversized, truncated, slow or half-closed,
//! floods, and a full disk. The daemon returns clear errors, stays within its limits, and loses
//! nothing that it accepted.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod corpus;
mod disk;
mod flood;
mod house;
mod requests;
mod slow;

use tocsin_tests::paths;
use tocsin_tests::support::Home;

/// A home of the program with an integration of each kind.
fn home() -> Home {
    let home = Home::new().unwrap();
    let policies = paths::root().join("policies");
    let config = include_str!("program.toml").replace("POLICIES", &policies.to_string_lossy());
    home.write("tocsin.toml", config).unwrap();
    home
}
