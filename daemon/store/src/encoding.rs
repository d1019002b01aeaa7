//! How events are kept: JSON in a versioned envelope,
//! `{"v":1,"at":…,"by":{…},"type":"…","data":{…}}`.
//!
//! JSON and not a compact format, because an event must be readable in ten years: a decoder
//! skips fields that it does not know, and an upcaster brings an old version to the present one.
//! Golden files of every released version hold this to its word.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;
use tocsin_core::Recorded;

/// The version that is written.
pub const EVENT_VERSION: u32 = 1;

/// An event cannot be written or read.
#[derive(Debug, Error)]
pub enum EncodingError {
    /// A later release wrote it.
    #[error(
        "the event has version {found}, and this release reads up to {EVENT_VERSION}; \
         run the newer tocsin that wrote it"
    )]
    TooNew { found: u32 },
    /// It has not the shape of an event.
    #[error("the event cannot be decoded: {0}")]
    Shape(#[from] serde_json::Error),
}

#[derive(Serialize)]
struct Written<'a> {
    v: u32,
    #[serde(flatten)]
    recorded: &'a Recorded,
}

#[derive(Deserialize)]
struct Version {
    v: u32,
}

/// The envelope of an event.
///
/// # Errors
/// [`EncodingError::Shape`] if the event holds something that JSON cannot express.
pub fn encode(recorded: &Recorded) -> Result<Value, EncodingError> {
    Ok(serde_json::to_value(Written {
        v: EVENT_VERSION,
        recorded,
    })?)
}

/// The event in an envelope of any released version.
///
/// # Errors
/// [`EncodingError`] when the envelope is of a later release or damaged.
pub fn decode(envelope: &Value) -> Result<Recorded, EncodingError> {
    let Version { v } = Version::deserialize(envelope)?;
    match v {
        EVENT_VERSION => Ok(Recorded::deserialize(envelope)?),
        found => Err(EncodingError::TooNew { found }),
    }
}
