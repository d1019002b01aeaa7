//! Loud channels: each wakes somebody, who acknowledges from it; when it is down, the next rung
//! follows; and however the daemon is killed meanwhile, the page is neither lost nor doubled
//! without a word, and the acknowledgement gets through.
//!
//! The program as a process of its own, with the built plugins and the guide's configuration,
//! against their stand-ins on loopback.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]
#![forbid(unsafe_code)]

mod by_ntfy;
mod by_pushover;
mod by_twilio;
mod by_webhook;
mod down;
mod killed;
mod night;
mod tested;
mod way;
mod woken;
