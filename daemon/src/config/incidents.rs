//! `[incidents]`: when an incident resolves automatically, and when it reopens.

use serde::{Deserialize, Serialize};

use super::text::Span;

/// The `[incidents]` section.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct IncidentsConfig {
    /// An incident resolves when all of its alerts have been resolved for this long; if somebody
    /// has it, they are asked whether it is solved. Default `"5m"`.
    pub resolve_after: Span,
    /// An alert that fires within this time after its incident resolved reopens it; later it opens
    /// a new incident. Default `"30m"`.
    pub reopen_within: Span,
    /// How long somebody has had an incident above minor when they are asked whether to mitigate it
    /// first; `"0s"`: never. Default `"5m"`.
    pub ask_approach_after: Span,
    /// Changes of an incident's services, such as deployments, that were made at most this long
    /// before it opened are suspected: a deployment often shows its effect only under the load of
    /// another hour. At most 7 days; `"0s"`: none is. Default `"6h"`.
    pub suspect_changes_within: Span,
}

impl Default for IncidentsConfig {
    fn default() -> Self {
        Self {
            resolve_after: Span::from_s(5 * 60),
            reopen_within: Span::from_s(30 * 60),
            ask_approach_after: Span::from_s(5 * 60),
            suspect_changes_within: Span::from_s(6 * 60 * 60),
        }
    }
}
