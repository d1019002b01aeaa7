//! The formats of PagerDuty's Events API v2, so that senders for PagerDuty can use the daemon:
//! `POST /v2/enqueue` and `POST /v2/change/enqueue`.
//!
//! Source: PagerDuty's OpenAPI document of the Events API v2. The sender authenticates with the
//! `routing_key` in the body, so parsing has two steps: [`Event::read`] checks the body and returns
//! the key; [`Event::into_parsed`] makes the signal once the key's integration is known.

mod change;
mod event;
mod response;

pub use change::ChangeEvent;
pub use event::{Event, EventAction, Severity};
pub use response::{Accepted, InvalidEvent};

/// Largest event, in bytes, as documented.
pub const EVENT_BYTES_MAX: usize = 512 * 1_024;
/// Longest `dedup_key`, in characters, as documented.
pub const DEDUP_KEY_CHARS_MAX: usize = 255;
/// Longest routing key, in bytes. PagerDuty's have 32; the daemon's tokens may be longer.
pub const ROUTING_KEY_BYTES_MAX: usize = 255;
/// Most links, and most images, that are kept per event.
pub const LINKS_MAX: usize = 16;
