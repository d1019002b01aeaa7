//! The plugins' key-value storage.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tocsin_core::Timestamp;
use tocsin_plugin_host::capability::Reply;
use tocsin_plugin_host::capability::kv::{KV_KEYS_MAX, KvService, KvUsage};
use tocsin_plugin_host::wit::{KvEntry, KvError, KvPage};
use tocsin_store::{CommitError, Store};

use super::{DaemonServices, PluginAccess};
use crate::runtime::state::tables::RowWrites;
use crate::runtime::state::tables::plugin_kv::{self, Entry};
use crate::runtime::{EngineError, Request};

/// Tries of a write that conflicted with another one.
const TRIES_MAX: usize = 8;

/// What a key must be for a write.
#[derive(Clone, Copy, Debug)]
enum Expected {
    /// Anything.
    Any,
    /// Absent, or at a revision.
    At(Option<u64>),
}

/// Serializes a plugin's writes, and caches how much it stores.
#[derive(Default)]
pub(super) struct KvWrites(Mutex<BTreeMap<String, Arc<tokio::sync::Mutex<KnownUsage>>>>);

impl KvWrites {
    async fn lock(&self, plugin: &str) -> tokio::sync::OwnedMutexGuard<KnownUsage> {
        let lock = Arc::clone(self.0.lock().entry(plugin.to_owned()).or_default());
        lock.lock_owned().await
    }
}

impl KvService for DaemonServices {
    fn kv_get<'a>(&'a self, plugin: &'a str, key: &'a str) -> Reply<'a, Option<KvEntry>, KvError> {
        Box::pin(async move { get(self.access()?, plugin, key) })
    }

    fn kv_set<'a>(
        &'a self,
        plugin: &'a str,
        key: &'a str,
        value: Vec<u8>,
        ttl_ms: Option<u64>,
    ) -> Reply<'a, u64, KvError> {
        Box::pin(async move {
            let access = self.access()?;
            let mut known = self.kv_writes.lock(plugin).await;
            let any = Expected::Any;
            set(access, &mut known, plugin, key, any, &value, ttl_ms).await
        })
    }

    fn kv_swap<'a>(
        &'a self,
        plugin: &'a str,
        key: &'a str,
        expected: Option<u64>,
        value: Vec<u8>,
        ttl_ms: Option<u64>,
    ) -> Reply<'a, u64, KvError> {
        Box::pin(async move {
            let access = self.access()?;
            let mut known = self.kv_writes.lock(plugin).await;
            let at = Expected::At(expected);
            set(access, &mut known, plugin, key, at, &value, ttl_ms).await
        })
    }

    fn kv_delete<'a>(&'a self, plugin: &'a str, key: &'a str) -> Reply<'a, bool, KvError> {
        Box::pin(async move {
            let access = self.access()?;
            let mut known = self.kv_writes.lock(plugin).await;
            delete(access, &mut known, plugin, key).await
        })
    }

    fn kv_keys<'a>(
        &'a self,
        plugin: &'a str,
        prefix: &'a str,
        cursor: Option<&'a str>,
        limit: u32,
    ) -> Reply<'a, KvPage, KvError> {
        Box::pin(async move { keys(self.access()?, plugin, prefix, cursor, limit) })
    }
}

fn get(access: &PluginAccess, plugin: &str, key: &str) -> Result<Option<KvEntry>, KvError> {
    let store = access.store.as_ref();
    for _ in 0..TRIES_MAX {
        let Some(entry) = live(access, plugin, key).map_err(unavailable)? else {
            return Ok(None);
        };
        let value = plugin_kv::value(store, plugin, key, &entry);
        // A write meanwhile changed the parts, and the head with them.
        let after = live(access, plugin, key).map_err(unavailable)?;
        if after.is_none_or(|it| it.revision() != entry.revision()) {
            continue;
        }
        return Ok(Some(KvEntry {
            value: value.map_err(unavailable)?,
            revision: entry.revision(),
        }));
    }
    Err(KvError::Unavailable(format!(
        "{key} is being written constantly; try again"
    )))
}

/// What a plugin keeps, as far as known: never less than it does, and more when some of it has
/// expired since it was counted. Counting reads every key, so it is not done for every write.
type KnownUsage = Option<KvUsage>;

/// Writes a key. The caller lets one write of a plugin run at a time, so that the revision read
/// after the commit is this write's own and the quota is not passed by two at once.
async fn set(
    access: &PluginAccess,
    known: &mut KnownUsage,
    plugin: &str,
    key: &str,
    expected: Expected,
    value: &[u8],
    ttl_ms: Option<u64>,
) -> Result<u64, KvError> {
    let store = access.store.as_ref();
    for _ in 0..TRIES_MAX {
        let entry = plugin_kv::entry(store, plugin, key).map_err(unavailable)?;
        let now = access.clock.now();
        let current = entry.as_ref().filter(|it| it.is_live(now));
        if let Expected::At(expected) = expected
            && expected != current.map(Entry::revision)
        {
            return Err(KvError::Conflict);
        }
        let old_bytes = current.map(Entry::size_bytes);
        let before = match known.take() {
            Some(usage) if usage.after_write(key, old_bytes, value.len()).is_ok() => usage,
            // What has expired since makes room.
            _ => counted(access, plugin, now).await?,
        };
        *known = Some(before);
        let after = before.after_write(key, old_bytes, value.len())?;
        let expires_at = ttl_ms.map(|ttl| now.plus_ms(ttl));
        let rows = plugin_kv::put(plugin, key, value, expires_at, entry.as_ref());
        match commit(access, rows.map_err(unavailable)?).await {
            Ok(()) => {
                *known = Some(after);
                let written = plugin_kv::entry(store, plugin, key).map_err(unavailable)?;
                return Ok(written.map_or(0, |it| it.revision()));
            }
            Err(EngineError::Commit(CommitError::Conflict { .. })) => {}
            Err(error) => {
                *known = None;
                return Err(unavailable(error));
            }
        }
    }
    Err(KvError::Conflict)
}

/// Deletes a key; whether it was there. One write of a plugin at a time, as with [`set`].
async fn delete(
    access: &PluginAccess,
    known: &mut KnownUsage,
    plugin: &str,
    key: &str,
) -> Result<bool, KvError> {
    for _ in 0..TRIES_MAX {
        let entry = plugin_kv::entry(access.store.as_ref(), plugin, key);
        let Some(entry) = entry.map_err(unavailable)? else {
            return Ok(false);
        };
        let was_live = entry.is_live(access.clock.now());
        match commit(access, plugin_kv::remove(plugin, key, &entry)).await {
            Ok(()) => {
                let freed = Some(entry.size_bytes()).filter(|_| was_live);
                *known = known.map(|usage| usage.after_delete(key, freed));
                return Ok(was_live);
            }
            Err(EngineError::Commit(CommitError::Conflict { .. })) => {}
            Err(error) => return Err(unavailable(error)),
        }
    }
    Err(KvError::Conflict)
}

fn keys(
    access: &PluginAccess,
    plugin: &str,
    prefix: &str,
    cursor: Option<&str>,
    limit: u32,
) -> Result<KvPage, KvError> {
    let (now, limit) = (access.clock.now(), limit as usize);
    let store = access.store.as_ref();
    let entries = plugin_kv::entries(store, plugin, prefix, cursor, limit).map_err(unavailable)?;
    let is_last = entries.len() < limit;
    let last = entries.last().filter(|_| !is_last);
    let cursor = last.map(|(key, _)| key.clone());
    let live = entries.into_iter().filter(|(_, entry)| entry.is_live(now));
    Ok(KvPage {
        keys: live.map(|(key, _)| key).collect(),
        cursor,
    })
}

async fn commit(access: &PluginAccess, rows: RowWrites) -> Result<(), EngineError> {
    access.writer.ask(Request::rows(rows)).await.map(|_| ())
}

/// Counts what a plugin keeps, on a thread that may wait.
async fn counted(access: &PluginAccess, plugin: &str, now: Timestamp) -> Result<KvUsage, KvError> {
    let (store, plugin) = (Arc::clone(&access.store), plugin.to_owned());
    let counted = tokio::task::spawn_blocking(move || count(store.as_ref(), &plugin, now)).await;
    counted.map_err(unavailable)?.map_err(unavailable)
}

fn count(store: &dyn Store, plugin: &str, now: Timestamp) -> Result<KvUsage, EngineError> {
    // Rows that have expired but were not removed yet may be among them.
    let limit = usize::try_from(KV_KEYS_MAX * 2).unwrap_or(usize::MAX);
    let entries = plugin_kv::entries(store, plugin, "", None, limit)?;
    let mut usage = KvUsage::default();
    for (key, entry) in entries.iter().filter(|(_, entry)| entry.is_live(now)) {
        usage.keys += 1;
        usage.bytes += (key.len() + entry.size_bytes()) as u64;
    }
    Ok(usage)
}

fn live(access: &PluginAccess, plugin: &str, key: &str) -> Result<Option<Entry>, EngineError> {
    let entry = plugin_kv::entry(access.store.as_ref(), plugin, key)?;
    Ok(entry.filter(|it| it.is_live(access.clock.now())))
}

fn unavailable(error: impl std::fmt::Display) -> KvError {
    KvError::Unavailable(error.to_string())
}

#[cfg(test)]
mod tests;
