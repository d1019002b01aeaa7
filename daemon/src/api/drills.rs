//! Drills: the incident of a run, and its score.

use serde::{Deserialize, Serialize};
use tocsin_core::drill::{Part, Score};
use utoipa::ToSchema;

/// The incident of a drill's run.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct DrillRun {
    /// Its number; null until it is open.
    pub(crate) incident: Option<u64>,
}

/// How well a drill went.
#[derive(Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct DrillScore {
    /// From 0 to 100: the mean of the parts, rounded down.
    pub(crate) total: u32,
    pub(crate) parts: Vec<DrillPart>,
}

/// One thing that counts.
#[derive(Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct DrillPart {
    pub(crate) name: String,
    /// From 0 to 100.
    pub(crate) points: u32,
    /// What was achieved.
    pub(crate) found: String,
    /// For how much there would have been all points.
    pub(crate) wanted: String,
}

impl From<Score> for DrillScore {
    fn from(score: Score) -> Self {
        Self {
            total: score.total,
            parts: score.parts.into_iter().map(DrillPart::from).collect(),
        }
    }
}

impl From<Part> for DrillPart {
    fn from(part: Part) -> Self {
        Self {
            name: part.name.to_owned(),
            points: part.points,
            found: part.found,
            wanted: part.wanted,
        }
    }
}
