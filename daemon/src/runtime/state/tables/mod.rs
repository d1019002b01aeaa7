//! The tables of current state, one file per table: its key, its row, how it is read and written,
//! and how long a row is kept. Rows are written only through this module.

pub mod absence;
pub mod alert;
mod blob;
pub mod change;
pub mod dead_letter;
pub mod effect;
pub mod hidden;
pub mod history;
pub mod incident_key;
pub(crate) mod mark;
pub mod number;
pub(crate) mod on_call_override;
pub mod page_count;
pub mod page_test;
pub mod pager;
pub mod plugin_kv;
pub mod proof;
pub mod reference;
pub mod role_time;
pub mod service_change;
pub mod shift_told;
pub mod silence;
pub mod summary;
pub mod tally;
pub mod token;
pub mod waiting;
pub mod webhook;

use std::marker::PhantomData;
use std::ops::ControlFlow;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tocsin_core::Timestamp;
use tocsin_core::time::HOUR_MS;
use tocsin_store::{Batch, Guard, RowChange, RowValue, Store, Stored, Table};

use crate::runtime::error::EngineError;

/// Rows per read of a table.
const PAGE_ROWS: usize = 512;
/// How long it is kept what people were paged and did, in milliseconds: 400 days, so that last
/// year's months can be asked for.
pub(crate) const LOAD_KEPT_MS: u64 = 400 * 24 * HOUR_MS;

/// Rows to write in one batch, and the revisions that they were decided on.
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use]
pub struct RowWrites {
    guards: Vec<Guard>,
    rows: Vec<RowChange>,
}

impl RowWrites {
    /// These rows and others.
    pub fn and(mut self, other: Self) -> Self {
        self.guards.extend(other.guards);
        self.rows.extend(other.rows);
        self
    }

    /// Refuses the whole batch unless the first of these rows is at `revision`; 0: unless it is
    /// absent.
    pub(crate) fn if_at(mut self, revision: u64) -> Self {
        let first = self.rows.first().map(|row| (row.table, row.key.clone()));
        self.guards.extend(first.map(|(table, key)| Guard {
            table,
            key,
            revision,
        }));
        self
    }

    /// Whether nothing is written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Adds the rows and their guards to a batch.
    pub(crate) fn lay_out(self, batch: &mut Batch) {
        batch.guards.extend(self.guards);
        batch.rows.extend(self.rows);
    }
}

/// A row as it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Row<T> {
    pub value: T,
    /// The revision, for guarded writes.
    pub revision: u64,
    /// When the row expires.
    pub expires_at: Option<Timestamp>,
}

impl<T> Row<T> {
    /// Whether the row has not expired: expired rows are removed later, by a sweep.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|at| at > now)
    }
}

pub struct TypedTable<T> {
    table: Table,
    /// What a row is, for errors.
    what: &'static str,
    row: PhantomData<fn() -> T>,
}

impl<T: Serialize + DeserializeOwned> TypedTable<T> {
    pub(self) const fn new(table: Table, what: &'static str) -> Self {
        Self {
            table,
            what,
            row: PhantomData,
        }
    }

    /// The row of a key.
    ///
    /// # Errors
    /// [`EngineError`] when the store fails or the row is damaged.
    pub fn get(&self, store: &dyn Store, key: &str) -> Result<Option<Row<T>>, EngineError> {
        let stored = store.row(self.table, key)?;
        stored.map(|stored| self.decode(&stored)).transpose()
    }

    /// Rows whose keys begin with `prefix`, after a key, in the order of keys, at most `limit`.
    ///
    /// # Errors
    /// [`EngineError`] when the store fails or a row is damaged.
    pub fn page(
        &self,
        store: &dyn Store,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Row<T>)>, EngineError> {
        let rows = store.rows(self.table, prefix, after, limit)?;
        let decoded = rows
            .into_iter()
            .map(|(key, stored)| Ok((key, self.decode(&stored)?)));
        decoded.collect()
    }

    /// Gives every row to `take`, in the order of keys, with one page in memory at a time.
    ///
    /// # Errors
    /// [`EngineError`] when the store fails, a row is damaged, and whatever `take` answers.
    pub fn for_each(
        &self,
        store: &dyn Store,
        mut take: impl FnMut(T) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        let stopped = self.for_each_after(store, None, |_, row| {
            take(row).map(|()| ControlFlow::<()>::Continue(()))
        });
        stopped.map(|_| ())
    }

    /// Every row, in the order of keys; for tables with few.
    ///
    /// # Errors
    /// As [`for_each`](Self::for_each).
    pub fn all(&self, store: &dyn Store) -> Result<Vec<Arc<T>>, EngineError> {
        let mut rows = Vec::new();
        self.for_each(store, |row| {
            rows.push(Arc::new(row));
            Ok(())
        })?;
        Ok(rows)
    }

    /// Like [`for_each`](Self::for_each), with the rows' keys, after one of them, and only until
    /// `take` breaks; answers the key that it broke at.
    ///
    /// # Errors
    /// As [`for_each`](Self::for_each).
    pub fn for_each_after(
        &self,
        store: &dyn Store,
        mut after: Option<String>,
        mut take: impl FnMut(&str, T) -> Result<ControlFlow<()>, EngineError>,
    ) -> Result<Option<String>, EngineError> {
        loop {
            let page = self.page(store, "", after.as_deref(), PAGE_ROWS)?;
            let is_last = page.len() < PAGE_ROWS;
            for (key, row) in page {
                let goes_on = take(&key, row.value)?.is_continue();
                after = Some(key);
                if !goes_on {
                    return Ok(after);
                }
            }
            if is_last {
                return Ok(None);
            }
        }
    }

    /// Refuses a batch unless a row is at `revision`; 0: unless it is absent.
    pub(crate) fn guard(&self, key: &str, revision: u64) -> Guard {
        Guard {
            table: self.table,
            key: key.to_owned(),
            revision,
        }
    }

    /// Writes a row that does not expire.
    ///
    /// # Errors
    /// [`EngineError::Damaged`] when the value cannot be expressed as JSON.
    pub(crate) fn put(&self, key: &str, value: &T) -> Result<RowWrites, EngineError> {
        self.put_until(key, value, None)
    }

    /// Writes a row that expires at `expires_at`.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    pub(crate) fn put_until(
        &self,
        key: &str,
        value: &T,
        expires_at: Option<Timestamp>,
    ) -> Result<RowWrites, EngineError> {
        let value = RowValue::text_of(value)
            .map_err(|error| EngineError::Damaged(format!("{} {key}: {error}", self.what)))?;
        Ok(self.change(key, Some(value), expires_at))
    }

    /// Removes a row; an absent one is no error.
    pub(crate) fn remove(&self, key: &str) -> RowWrites {
        self.change(key, None, None)
    }

    fn change(
        &self,
        key: &str,
        value: Option<RowValue>,
        expires_at: Option<Timestamp>,
    ) -> RowWrites {
        RowWrites {
            guards: Vec::new(),
            rows: vec![RowChange {
                table: self.table,
                key: key.to_owned(),
                value,
                expires_at,
            }],
        }
    }

    fn decode(&self, stored: &Stored) -> Result<Row<T>, EngineError> {
        Ok(Row {
            value: decode_row(self.what, &stored.value)?,
            revision: stored.revision,
            expires_at: stored.expires_at,
        })
    }
}

/// A stored value as a type.
///
/// # Errors
/// [`EngineError::Damaged`] naming what it should be.
pub fn decode_row<T: DeserializeOwned>(
    what: &str,
    value: &serde_json::Value,
) -> Result<T, EngineError> {
    T::deserialize(value)
        .map_err(|error| EngineError::Damaged(format!("{what} cannot be decoded: {error}")))
}
