//! Hostile input: bytes that broke something once, requests that are oversized, cut, slow or
//! half-closed, floods, and a disk that is full. The daemon answers in clear words, stays within
//! its bounds, and loses nothing that it took.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod corpus;
mod disk;
mod flood;
mod house;
mod requests;
mod slow;

use tocsin_tests::support::{Home, config};

/// A home of the real program with every kind of sender.
fn home() -> Home {
    let home = Home::new().unwrap();
    home.write("tocsin.toml", config::shop(&[]).unwrap())
        .unwrap();
    home
}
