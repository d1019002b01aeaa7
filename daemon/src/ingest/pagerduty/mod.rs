//! PagerDuty's Events API v2, so that what pages through PagerDuty can page through the daemon:
//! `POST /v2/enqueue` and `POST /v2/change/enqueue`.
//!
//! Source: PagerDuty's OpenAPI document of the Events API v2. The sender authenticates by the
//! `routing_key` in the body, so reading has two steps: [`Event::read`] checks the body and gives
//! the key; once the key has named the integration, [`Event::into_parsed`] makes the signal.

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
/// Most links that are kept of one event.
pub const LINKS_MAX: usize = 8;
