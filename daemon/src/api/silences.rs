//! Silences, as alerts and incidents name them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A silence that matches an alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct SilenceLine {
    pub(crate) id: String,
    /// Who created it, as free text.
    pub(crate) created_by: String,
    pub(crate) comment: String,
    /// When it ends; null if it is no longer known.
    pub(crate) ends_at: Option<String>,
}
