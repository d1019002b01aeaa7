//! `kv`: a small key-value store per plugin. Writes are immediate, not part of the call's outcome.

use super::context::Context;
use super::service::{Reply, not_provided};
use crate::wit::kv::{Entry, Host, KvError, Page};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Most bytes of keys and values per plugin.
pub const KV_BYTES_MAX: u64 = 16 << 20;
pub const KV_VALUE_BYTES_MAX: usize = 64 << 10;
pub const KV_KEY_BYTES_MAX: usize = 256;
/// Most keys per plugin. A chat plugin keeps one per incident of a month and per page of a day.
pub const KV_KEYS_MAX: u64 = 10_000;
/// Most keys in one page of a listing.
pub const KV_PAGE_KEYS_MAX: u32 = 200;
/// Longest time to live, in milliseconds: a year.
pub const KV_TTL_MS_MAX: u64 = 366 * 24 * 3_600_000;

/// What the daemon provides.
pub trait KvService: Send + Sync + 'static {
    /// None when the key is absent or has expired.
    fn kv_get<'a>(&'a self, _plugin: &'a str, _key: &'a str) -> Reply<'a, Option<Entry>, KvError> {
        not_provided()
    }

    /// Writes a key and returns its new revision. Lengths are already checked; the implementation
    /// must check the quota inside its transaction, with [`KvUsage::after_write`].
    fn kv_set<'a>(
        &'a self,
        _plugin: &'a str,
        _key: &'a str,
        _value: Vec<u8>,
        _ttl_ms: Option<u64>,
    ) -> Reply<'a, u64, KvError> {
        not_provided()
    }

    /// Like [`Self::kv_set`], but only if the revision is still `expected` (none: the key is
    /// absent); otherwise `conflict`.
    fn kv_swap<'a>(
        &'a self,
        _plugin: &'a str,
        _key: &'a str,
        _expected: Option<u64>,
        _value: Vec<u8>,
        _ttl_ms: Option<u64>,
    ) -> Reply<'a, u64, KvError> {
        not_provided()
    }

    /// Deletes a key; true if it was there.
    fn kv_delete<'a>(&'a self, _plugin: &'a str, _key: &'a str) -> Reply<'a, bool, KvError> {
        not_provided()
    }

    /// Lists keys in byte order after `cursor`, at most `limit` (already bounded).
    fn kv_keys<'a>(
        &'a self,
        _plugin: &'a str,
        _prefix: &'a str,
        _cursor: Option<&'a str>,
        _limit: u32,
    ) -> Reply<'a, Page, KvError> {
        not_provided()
    }
}

type Answer<T> = wasmtime::Result<Result<T, KvError>>;

impl Context {
    fn kv_open(&self, key: &str) -> Result<(), KvError> {
        if self.facts.without_rights {
            return Err(KvError::Unavailable(
                "the store is not available during this call".into(),
            ));
        }
        check_key(key)
    }
}

impl Host for Context {
    async fn get(&mut self, key: String) -> Answer<Option<Entry>> {
        let _pause = self.pause();
        if let Err(error) = self.kv_open(&key) {
            return Ok(Err(error));
        }
        Ok(self.shared.services.kv_get(self.plugin(), &key).await)
    }

    async fn set(&mut self, key: String, value: Vec<u8>, ttl_ms: Option<u64>) -> Answer<u64> {
        let _pause = self.pause();
        if let Err(error) = self.kv_open(&key).and_then(|()| check_value(&value)) {
            return Ok(Err(error));
        }
        let services = Arc::clone(&self.shared.services);
        Ok(services
            .kv_set(self.plugin(), &key, value, bounded(ttl_ms))
            .await)
    }

    async fn swap(
        &mut self,
        key: String,
        expected: Option<u64>,
        value: Vec<u8>,
        ttl_ms: Option<u64>,
    ) -> Answer<u64> {
        let _pause = self.pause();
        if let Err(error) = self.kv_open(&key).and_then(|()| check_value(&value)) {
            return Ok(Err(error));
        }
        let services = Arc::clone(&self.shared.services);
        Ok(services
            .kv_swap(self.plugin(), &key, expected, value, bounded(ttl_ms))
            .await)
    }

    async fn delete(&mut self, key: String) -> Answer<bool> {
        let _pause = self.pause();
        if let Err(error) = self.kv_open(&key) {
            return Ok(Err(error));
        }
        Ok(self.shared.services.kv_delete(self.plugin(), &key).await)
    }

    async fn keys(&mut self, prefix: String, cursor: Option<String>, limit: u32) -> Answer<Page> {
        let _pause = self.pause();
        let probe = if prefix.is_empty() { "-" } else { &prefix };
        if let Err(error) = self.kv_open(probe) {
            return Ok(Err(error));
        }
        let limit = limit.clamp(1, KV_PAGE_KEYS_MAX);
        let services = Arc::clone(&self.shared.services);
        Ok(services
            .kv_keys(self.plugin(), &prefix, cursor.as_deref(), limit)
            .await)
    }
}

fn bounded(ttl_ms: Option<u64>) -> Option<u64> {
    ttl_ms.map(|ttl| ttl.min(KV_TTL_MS_MAX))
}

/// The current usage of one plugin.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KvUsage {
    /// Keys and values together, in bytes.
    pub bytes: u64,
    pub keys: u64,
}

impl KvUsage {
    /// The usage after writing `value_bytes` under `key`, replacing `old_value_bytes`.
    ///
    /// # Errors
    /// `quota` when it does not fit. A smaller value for an existing key always fits.
    pub fn after_write(
        self,
        key: &str,
        old_value_bytes: Option<usize>,
        value_bytes: usize,
    ) -> Result<Self, KvError> {
        let freed = self.after_delete(key, old_value_bytes);
        let after = Self {
            bytes: freed.bytes.saturating_add((key.len() + value_bytes) as u64),
            keys: freed.keys + 1,
        };
        if after.keys > KV_KEYS_MAX && after.keys > self.keys {
            return Err(KvError::Quota(format!(
                "there are already {KV_KEYS_MAX} keys; delete some, or give them a time to live"
            )));
        }
        if after.bytes > KV_BYTES_MAX && after.bytes > self.bytes {
            return Err(KvError::Quota(format!(
                "{} of {KV_BYTES_MAX} bytes would be used; delete some keys first",
                after.bytes
            )));
        }
        Ok(after)
    }

    /// The usage after deleting `key` with `old_value_bytes`.
    #[must_use]
    pub fn after_delete(self, key: &str, old_value_bytes: Option<usize>) -> Self {
        match old_value_bytes {
            None => self,
            Some(old) => Self {
                bytes: self.bytes.saturating_sub((key.len() + old) as u64),
                keys: self.keys.saturating_sub(1),
            },
        }
    }
}

/// Checks a key's length.
///
/// # Errors
/// `too-large`, or `other` for an empty one.
fn check_key(key: &str) -> Result<(), KvError> {
    if key.is_empty() {
        return Err(KvError::Other("a key must not be empty".into()));
    }
    if key.len() > KV_KEY_BYTES_MAX {
        let message = format!(
            "the key has {} bytes, more than {KV_KEY_BYTES_MAX}",
            key.len()
        );
        return Err(KvError::TooLarge(message));
    }
    Ok(())
}

/// Checks a value's length.
///
/// # Errors
/// `too-large`.
fn check_value(value: &[u8]) -> Result<(), KvError> {
    if value.len() > KV_VALUE_BYTES_MAX {
        return Err(KvError::TooLarge(format!(
            "the value has {} bytes, more than {KV_VALUE_BYTES_MAX}",
            value.len()
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_accepts_what_fits_and_always_a_smaller_value() {
        let full = KvUsage {
            bytes: KV_BYTES_MAX,
            keys: KV_KEYS_MAX,
        };
        assert!(matches!(
            full.after_write("new", None, 0),
            Err(KvError::Quota(_))
        ));
        let same = full.after_write("old", Some(10), 10).unwrap();
        assert_eq!(same, full);
        assert!(full.after_write("old", Some(10), 9).is_ok());
        assert!(matches!(
            full.after_write("old", Some(10), 11),
            Err(KvError::Quota(_))
        ));
        let over = KvUsage {
            bytes: KV_BYTES_MAX + 100,
            keys: 1,
        };
        assert!(over.after_write("old", Some(10), 9).is_ok());
    }

    #[test]
    fn deleting_frees_space() {
        let usage = KvUsage::default().after_write("key", None, 7).unwrap();
        assert_eq!(usage, KvUsage { bytes: 10, keys: 1 });
        assert_eq!(usage.after_delete("key", Some(7)), KvUsage::default());
        assert_eq!(usage.after_delete("absent", None), usage);
    }
}
