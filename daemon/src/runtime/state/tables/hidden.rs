//! What silences have hidden, by the silence's id.

use std::collections::HashMap;
use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};
use tocsin_store::{Store, Table};

use super::TypedTable;
use crate::runtime::error::EngineError;
use crate::silence::Hid;

/// What a silence has hidden so far; no row means nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hidden {
    #[serde(flatten)]
    pub hid: Hid,
    /// Whether its end was logged.
    #[serde(default)]
    pub is_reported: bool,
}

/// As long as the silence is kept.
pub const HIDDEN: TypedTable<Hidden> = TypedTable::new(Table::Hidden, "what a silence has hidden");

/// What every silence has hidden, by id.
///
/// # Errors
/// [`EngineError`] when the store fails or a row is damaged.
pub fn all(store: &dyn Store) -> Result<HashMap<String, Hid>, EngineError> {
    let mut all = HashMap::new();
    HIDDEN.for_each_after(store, None, |id, hidden| {
        all.insert(id.to_owned(), hidden.hid);
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(all)
}

/// What a silence has hidden.
///
/// # Errors
/// As [`all`].
pub fn by(store: &dyn Store, id: &str) -> Result<Hid, EngineError> {
    let row = HIDDEN.get(store, id)?;
    Ok(row.map(|row| row.value.hid).unwrap_or_default())
}
