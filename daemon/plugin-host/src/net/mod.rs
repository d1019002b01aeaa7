//! Sends HTTP requests and opens WebSockets, only to addresses that the policy allows.
//!
//! A name is resolved once, by the client's own resolver, which checks every address before it
//! passes them to the connector: this prevents DNS rebinding. Redirects are followed manually,
//! each with the full check, and a credential is dropped when the origin changes.

mod address;
mod client;
mod error;
mod headers;
mod inject;
mod message;
mod outbound;
mod reach;
mod redirect;
mod resolve;
mod socket;

pub(crate) use client::Net;
pub(crate) use error::NetError;
pub(crate) use headers::outgoing_headers;
pub(crate) use message::{Answer, Outgoing};
pub(crate) use outbound::{Allowed, OutboundPolicy, shown};
pub(crate) use socket::covers;
pub use socket::{Incoming, Socket};
