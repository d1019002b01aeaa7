//! `kv`: a small store of the plugin's own. Writes are immediate, not part of the call's outcome.

use crate::quota::{KV_PAGE_KEYS_MAX, KV_TTL_MS_MAX, check_key, check_value};
use crate::state::CallState;
use crate::wit::kv::{Entry, Host, KvError, Page};
use std::sync::Arc;

type Answer<T> = wasmtime::Result<Result<T, KvError>>;

impl CallState {
    fn kv_open(&self, key: &str) -> Result<(), KvError> {
        if self.powerless {
            return Err(KvError::Unavailable(
                "there is no store during this call".into(),
            ));
        }
        check_key(key)
    }
}

impl Host for CallState {
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
