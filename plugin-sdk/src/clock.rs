//! Time and randomness from the host, since the standard library's functions panic in a component.

use crate::host;
use crate::types::Timestamp;

/// Now, in milliseconds since the Unix epoch, UTC.
#[must_use]
pub fn now() -> Timestamp {
    host::clock::now()
}

/// Nanoseconds from an arbitrary start; never decreases.
#[must_use]
pub fn monotonic() -> u64 {
    host::clock::monotonic()
}

/// Random bytes, at most 4096 per call.
#[must_use]
pub fn random_bytes(len: u32) -> Vec<u8> {
    host::clock::random_bytes(len)
}
