//! Hostile input: bytes that broke something once, requests that are oversized, cut, slow or
//! half-closed, floods, and a disk that is full. The daemon answers in clear words, stays within
//! its bounds, and loses nothing that it took.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod corpus;
mod disk;
mod flood;
mod house;
mod program;
mod requests;
mod slow;
