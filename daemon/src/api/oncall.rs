//! Who is on call.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Every rotation, by name.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct OnCall {
    pub(crate) rotations: Vec<RotationLine>,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct RotationLine {
    /// The rotation's ID in the configuration.
    pub(crate) rotation: String,
    /// The time zone of its handovers.
    pub(crate) timezone: String,
    /// Who is on call now; empty when no layer covers this instant.
    pub(crate) now: Vec<PersonLine>,
    /// When that next changes; null when it never does.
    pub(crate) next_handover: Option<String>,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct PersonLine {
    pub(crate) person: String,
    /// The person's name.
    pub(crate) name: String,
}
