//! What silences have hidden, by the silence's id.

use serde::{Deserialize, Serialize};
use tocsin_store::Table;

use super::TypedTable;

/// What a silence has hidden so far; no row means nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hidden {
    /// How many alerts it silenced. An alert that ends and fires again counts again.
    pub alerts: u64,
    /// How many times it paused the escalation of an incident.
    #[serde(default)]
    pub pauses: u64,
    /// Whether its end was logged.
    #[serde(default)]
    pub is_reported: bool,
}

/// As long as the silence is kept.
pub const HIDDEN: TypedTable<Hidden> = TypedTable::new(Table::Hidden, "what a silence has hidden");
