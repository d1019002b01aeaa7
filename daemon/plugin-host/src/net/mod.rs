//! Sends requests, and only to addresses that the policy allows.
//!
//! A name is resolved once, by the client's own resolver below, which checks every address before
//! it hands them to the connector: nothing can change between check and connection (DNS
//! rebinding). Redirects are followed by hand, each through the whole check, and a credential
//! stays behind when the origin changes.

mod address;
mod client;
mod error;
mod headers;
mod message;
mod outbound;
mod reach;
mod redirect;
mod resolve;

pub(crate) use client::Net;
pub(crate) use error::NetError;
pub(crate) use headers::outgoing_headers;
pub(crate) use message::{Answer, Outgoing};
pub(crate) use outbound::{OutboundPolicy, shown};
