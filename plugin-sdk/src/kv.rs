//! A small durable key-value store, private to the plugin. Writes are immediate, even if the call
//! fails.

use crate::host;
use crate::types::Failure;
use serde::{Serialize, de::DeserializeOwned};

pub use crate::bindings::tocsin::plugin::kv::{Entry, KvError, Page};

/// A value with its revision, for [`swap`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versioned<T> {
    /// What was stored.
    pub value: T,
    /// The entry's revision; it increases with every write.
    pub revision: u64,
}

/// Reads a value that was stored as JSON.
///
/// # Errors
/// When the store is unavailable, or the stored value is not a `T`: then delete the key.
pub fn get<T: DeserializeOwned>(key: &str) -> Result<Option<Versioned<T>>, Failure> {
    let Some(entry) = host::kv::get(key)? else {
        return Ok(None);
    };
    let value = serde_json::from_slice(&entry.value).map_err(|error| {
        Failure::Permanent(format!("the stored value of {key} cannot be read: {error}"))
    })?;
    Ok(Some(Versioned {
        value,
        revision: entry.revision,
    }))
}

/// Stores a value as JSON, for `ttl_ms` milliseconds if given. Returns its revision.
///
/// # Errors
/// Quota, size and unavailability; see [`KvError`].
pub fn set<T: Serialize>(key: &str, value: &T, ttl_ms: Option<u64>) -> Result<u64, Failure> {
    Ok(host::kv::set(key, &encode(key, value)?, ttl_ms)?)
}

/// Stores a value only if the entry's revision is still `expected` (none: only if it is absent).
/// Returns the new revision, or none if the entry has changed.
///
/// # Errors
/// Quota, size and unavailability; see [`KvError`].
pub fn swap<T: Serialize>(
    key: &str,
    expected: Option<u64>,
    value: &T,
    ttl_ms: Option<u64>,
) -> Result<Option<u64>, Failure> {
    match host::kv::swap(key, expected, &encode(key, value)?, ttl_ms) {
        Ok(revision) => Ok(Some(revision)),
        Err(KvError::Conflict) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Removes an entry; returns whether there was one.
///
/// # Errors
/// When the store is unavailable.
pub fn delete(key: &str) -> Result<bool, Failure> {
    Ok(host::kv::delete(key)?)
}

/// Lists keys with a prefix, at most `limit` at a time.
///
/// # Errors
/// When the store is unavailable.
pub fn keys(prefix: &str, cursor: Option<&str>, limit: u32) -> Result<Page, Failure> {
    Ok(host::kv::keys(prefix, cursor, limit)?)
}

fn encode<T: Serialize>(key: &str, value: &T) -> Result<Vec<u8>, Failure> {
    serde_json::to_vec(value).map_err(|error| {
        Failure::Permanent(format!(
            "the value of {key} cannot be encoded as JSON: {error}"
        ))
    })
}
