//! The encoding of events: JSON in a versioned envelope,
//! `{"v":1,"at":…,"by":{…},"type":"…","data":{…}}`.
//!
//! JSON rather than a compact format, because events must be readable in ten years: a decoder
//! ignores unknown fields, and an upcaster converts old versions to the current one. Golden files
//! of every released version test this.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;
use tocsin_core::Recorded;

/// The current version.
pub const EVENT_VERSION: u32 = 1;

/// Why an event cannot be encoded or decoded.
#[derive(Debug, Error)]
pub enum EncodingError {
    /// A later release wrote it.
    #[error(
        "the event has version {found}, and this release reads up to {EVENT_VERSION}; \
         run the newer tocsin that wrote it"
    )]
    TooNew { found: u32 },
    /// It is not an event.
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

/// Encodes an event in an envelope.
///
/// # Errors
/// [`EncodingError::Shape`] if the event contains something that JSON cannot express.
pub fn encode(recorded: &Recorded) -> Result<Value, EncodingError> {
    Ok(serde_json::to_value(Written {
        v: EVENT_VERSION,
        recorded,
    })?)
}

/// Decodes the event in an envelope of any released version.
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
