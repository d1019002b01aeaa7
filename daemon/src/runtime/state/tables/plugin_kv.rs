//! The plugins' key-value entries, by plugin and key.

use tocsin_core::Timestamp;
use tocsin_plugin_host::capability::kv::KvUsage;
use tocsin_store::{Store, Table};

use super::blob::{self, Head};
use super::{Row, RowWrites, TypedTable};
use crate::runtime::error::EngineError;

const PLUGIN_KV: TypedTable<Head> = TypedTable::new(Table::PluginKv, "a plugin's value");
const USAGES: TypedTable<KvUsage> = TypedTable::new(Table::PluginKv, "a plugin's usage");
/// What the keys of usages begin with, and no value's does.
const USAGE_MARK: char = '\u{2}';

/// An entry, without the parts of a long value.
pub struct StoredEntry(Row<Head>);

impl StoredEntry {
    /// Grows with every write of the key.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.0.revision
    }

    /// Whether the entry has not expired.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.0.is_live(now)
    }

    /// How many bytes the value has.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        self.0.value.size_bytes()
    }
}

/// A plugin's entry, even if it has expired.
///
/// # Errors
/// [`EngineError`] when the store fails or the row is damaged.
pub fn entry(
    store: &dyn Store,
    plugin: &str,
    key: &str,
) -> Result<Option<StoredEntry>, EngineError> {
    Ok(PLUGIN_KV
        .get(store, &row_key(plugin, key))?
        .map(StoredEntry))
}

/// The whole value of an entry.
///
/// # Errors
/// [`EngineError`] when the store fails, or a part is damaged or was removed meanwhile.
pub fn value(
    store: &dyn Store,
    plugin: &str,
    key: &str,
    entry: &StoredEntry,
) -> Result<Vec<u8>, EngineError> {
    blob::read(&PLUGIN_KV, store, &row_key(plugin, key), &entry.0.value)
}

/// Entries of a plugin whose keys begin with `prefix`, after a key, at most `limit`.
///
/// # Errors
/// [`EngineError`] when the store fails or a row is damaged.
pub fn entries(
    store: &dyn Store,
    plugin: &str,
    prefix: &str,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<(String, StoredEntry)>, EngineError> {
    let after = after.map(|key| row_key(plugin, key));
    let rows = PLUGIN_KV.page(store, &row_key(plugin, prefix), after.as_deref(), limit)?;
    let own = row_key(plugin, "");
    let name = |key: String| key.strip_prefix(&own).unwrap_or(&key).to_owned();
    Ok(rows
        .into_iter()
        .map(|(key, row)| (name(key), StoredEntry(row)))
        .collect())
}

/// Writes a value in place of what was read.
///
/// # Errors
/// [`EngineError::Damaged`] when it cannot be expressed as JSON.
pub fn put(
    plugin: &str,
    key: &str,
    value: &[u8],
    expires_at: Option<Timestamp>,
    before: Option<&StoredEntry>,
) -> Result<RowWrites, EngineError> {
    let head = before.map(|it| &it.0.value);
    let write = blob::write(&PLUGIN_KV, &row_key(plugin, key), value, expires_at, head)?;
    Ok(write.if_at(before.map_or(0, StoredEntry::revision)))
}

/// Removes what was read.
pub fn remove(plugin: &str, key: &str, before: &StoredEntry) -> RowWrites {
    let write = blob::remove(&PLUGIN_KV, &row_key(plugin, key), Some(&before.0.value));
    write.if_at(before.revision())
}

/// How much a plugin keeps: never less than it does, and more when some of it has expired since it
/// was counted. `None` before it was first counted.
///
/// # Errors
/// [`EngineError`] when the store fails or the row is damaged.
pub fn usage(store: &dyn Store, plugin: &str) -> Result<Option<Row<KvUsage>>, EngineError> {
    USAGES.get(store, &usage_key(plugin))
}

/// Writes how much a plugin keeps, beside the write of a value that changes it: so two engines
/// cannot both take the last room.
///
/// # Errors
/// [`EngineError::Damaged`] when it cannot be expressed as JSON.
pub fn put_usage(
    plugin: &str,
    usage: KvUsage,
    before: Option<&Row<KvUsage>>,
) -> Result<RowWrites, EngineError> {
    let write = USAGES.put(&usage_key(plugin), &usage)?;
    Ok(write.if_at(before.map_or(0, |it| it.revision)))
}

fn usage_key(plugin: &str) -> String {
    format!("{USAGE_MARK}{plugin}")
}

fn row_key(plugin: &str, key: &str) -> String {
    format!("{plugin}/{key}")
}
