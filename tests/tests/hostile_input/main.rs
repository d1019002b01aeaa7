//! Hostile input: the fuzz corpus, requests that are oversized, truncated, slow or half-closed,
//! floods, and a full disk. The daemon returns clear errors, stays within its limits, and loses
//! nothing that it accepted.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod corpus;
mod daemon;
mod disk;
mod flood;
mod requests;
mod slow;

use tocsin_tests::support::{Home, config};

/// A home of the program with an integration of each kind.
fn home() -> Home {
    let home = Home::new().unwrap();
    home.write("tocsin.toml", config::with(&[]).unwrap())
        .unwrap();
    home
}
