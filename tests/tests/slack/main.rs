//! Slack and the program: signed requests, questions that survive a kill, and wrong commands.
//!
//! The program as a process of its own, with the built Slack plugin, against the stand-in of Slack
//! over HTTP.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]
#![forbid(unsafe_code)]

mod chat;
mod form;
mod killed;
mod signed;
mod socket;
mod story;
mod wrong;
