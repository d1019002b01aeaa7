//! What plugins keep for themselves, as rows of the store.

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
use crate::runtime::state::tables::plugin_kv::{self, StoredEntry};
use crate::runtime::{Answer, EngineError, Request};

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

/// One write to a plugin's keys at a time: each changes how much the plugin keeps, so that two
/// would only refuse each other.
#[derive(Default)]
pub(super) struct KvWrites(Mutex<BTreeMap<String, Arc<tokio::sync::Mutex<()>>>>);

impl KvWrites {
    async fn lock(&self, plugin: &str) -> tokio::sync::OwnedMutexGuard<()> {
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
            let _one = self.kv_writes.lock(plugin).await;
            let any = Expected::Any;
            set(access, plugin, key, any, &value, ttl_ms).await
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
            let _one = self.kv_writes.lock(plugin).await;
            let at = Expected::At(expected);
            set(access, plugin, key, at, &value, ttl_ms).await
        })
    }

    fn kv_delete<'a>(&'a self, plugin: &'a str, key: &'a str) -> Reply<'a, bool, KvError> {
        Box::pin(async move {
            let access = self.access()?;
            let _one = self.kv_writes.lock(plugin).await;
            delete(access, plugin, key).await
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
        "{key} is being written all the time; try again"
    )))
}

/// Writes a key, and with it how much the plugin keeps. That is counted when it is not known yet,
/// or when what has expired since may make room: counting reads every key.
async fn set(
    access: &PluginAccess,
    plugin: &str,
    key: &str,
    expected: Expected,
    value: &[u8],
    ttl_ms: Option<u64>,
) -> Result<u64, KvError> {
    let store = access.store.as_ref();
    for _ in 0..TRIES_MAX {
        let usage = plugin_kv::usage(store, plugin).map_err(unavailable)?;
        let entry = plugin_kv::entry(store, plugin, key).map_err(unavailable)?;
        let now = access.clock.now();
        let current = entry.as_ref().filter(|it| it.is_live(now));
        if let Expected::At(expected) = expected
            && expected != current.map(StoredEntry::revision)
        {
            return Err(KvError::Conflict);
        }
        let old_bytes = current.map(StoredEntry::size_bytes);
        let after = |before: KvUsage| before.after_write(key, old_bytes, value.len());
        let after = match usage.as_ref().map(|row| after(row.value)) {
            Some(Ok(fits)) => fits,
            _ => after(counted(access, plugin, now).await?)?,
        };
        let expires_at = ttl_ms.map(|ttl| now.plus_ms(ttl));
        let rows = plugin_kv::put(plugin, key, value, expires_at, entry.as_ref())
            .and_then(|rows| Ok(rows.and(plugin_kv::put_usage(plugin, after, usage.as_ref())?)));
        if let Some(revisions) = commit(access, rows.map_err(unavailable)?).await? {
            return Ok(revisions.first().copied().unwrap_or(0));
        }
    }
    Err(KvError::Conflict)
}

/// Deletes a key; whether it was there.
async fn delete(access: &PluginAccess, plugin: &str, key: &str) -> Result<bool, KvError> {
    let store = access.store.as_ref();
    for _ in 0..TRIES_MAX {
        let usage = plugin_kv::usage(store, plugin).map_err(unavailable)?;
        let entry = plugin_kv::entry(store, plugin, key).map_err(unavailable)?;
        let Some(entry) = entry else {
            return Ok(false);
        };
        let was_live = entry.is_live(access.clock.now());
        let mut rows = plugin_kv::remove(plugin, key, &entry);
        if let Some(before) = &usage {
            let freed = Some(entry.size_bytes()).filter(|_| was_live);
            let after = before.value.after_delete(key, freed);
            let write = plugin_kv::put_usage(plugin, after, usage.as_ref());
            rows = rows.and(write.map_err(unavailable)?);
        }
        if commit(access, rows).await?.is_some() {
            return Ok(was_live);
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

/// The rows' new revisions; `None` when another write came before.
async fn commit(access: &PluginAccess, rows: RowWrites) -> Result<Option<Vec<u64>>, KvError> {
    match access.writer.ask(Request::rows(rows)).await {
        Ok(Answer::Done(done)) => Ok(Some(done.revisions)),
        Ok(_) => Ok(Some(Vec::new())),
        Err(EngineError::Commit(CommitError::Conflict { .. })) => Ok(None),
        Err(error) => Err(unavailable(error)),
    }
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

fn live(
    access: &PluginAccess,
    plugin: &str,
    key: &str,
) -> Result<Option<StoredEntry>, EngineError> {
    let entry = plugin_kv::entry(access.store.as_ref(), plugin, key)?;
    Ok(entry.filter(|it| it.is_live(access.clock.now())))
}

fn unavailable(error: impl std::fmt::Display) -> KvError {
    KvError::Unavailable(error.to_string())
}

#[cfg(test)]
mod tests;
