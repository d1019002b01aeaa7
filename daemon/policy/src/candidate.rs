//! The people who can be asked to take a role in an incident, as policies see them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tocsin_core::{PersonId, TeamId};

use crate::limits::CANDIDATES_MAX;

/// Somebody who is available and can be reached.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Candidate {
    pub id: PersonId,
    #[serde(default)]
    pub name: String,
    /// How experienced they are; 0 when it is not set.
    #[serde(default)]
    pub level: u32,
    #[serde(default)]
    pub teams: Vec<TeamId>,
    /// Whether they are on call in some rotation now.
    #[serde(default)]
    pub on_call: bool,
    /// Whether it is night where they are.
    #[serde(default)]
    pub night: bool,
    /// Whether they are the incident's operator.
    #[serde(default)]
    pub operator: bool,
    #[serde(default)]
    pub load: CandidateLoad,
}

/// What somebody did in the last 28 days.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CandidateLoad {
    pub incidents: u64,
    pub pages: u64,
    pub night_pages: u64,
    pub operator_minutes: u64,
    pub spokesperson_minutes: u64,
}

/// The candidates of a question. Created once per question and shared by its calls.
#[derive(Clone, Debug, Default)]
pub struct Candidates(pub(crate) Arc<Vec<Candidate>>);

impl Candidates {
    /// The first [`CANDIDATES_MAX`] of these.
    #[must_use]
    pub fn new(mut all: Vec<Candidate>) -> Self {
        all.truncate(CANDIDATES_MAX);
        Self(Arc::new(all))
    }
}
