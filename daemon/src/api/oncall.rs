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
    /// Its name in the configuration.
    pub(crate) rotation: String,
    /// The time zone that its handovers follow.
    pub(crate) timezone: String,
    /// Who is on call now; nobody when no layer covers this instant.
    pub(crate) now: Vec<PersonLine>,
    /// When that next changes; none when it does not.
    pub(crate) next_handover: Option<String>,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct PersonLine {
    pub(crate) person: String,
    /// What people call them.
    pub(crate) name: String,
}
