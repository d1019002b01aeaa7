//! One line per incident, by number: what lists are made of, so that a list never reads streams.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tocsin_core::incident::Incident;
use tocsin_core::{Grade, IncidentId, PersonId, Status, TeamId, Timestamp};

use crate::runtime::engine::request::EngineError;
use crate::runtime::state::view::decode_row;

/// An incident in one line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Its id.
    pub id: IncidentId,
    /// The short number that people say aloud.
    pub number: u64,
    /// One line.
    pub title: String,
    /// The service that is hurt.
    pub service: String,
    /// The team that owns it.
    pub team: Option<TeamId>,
    /// How bad.
    pub grade: Grade,
    /// Whether only people with clearance may know.
    pub security: bool,
    /// Where it stands.
    pub status: Status,
    /// Whether somebody has it.
    pub acknowledged: bool,
    /// Who commands and operates.
    pub operator: Option<PersonId>,
    /// When it began.
    pub opened_at: Timestamp,
    /// When the service was back.
    pub resolved_at: Option<Timestamp>,
}

impl Summary {
    /// The row key of an incident's line: byte order is the order of numbers.
    #[must_use]
    pub fn row_key(number: u64) -> String {
        format!("{number:012}")
    }

    /// The line of a row.
    ///
    /// # Errors
    /// [`EngineError::Damaged`] when it is none.
    pub fn from_row(value: &Value) -> Result<Self, EngineError> {
        decode_row("the summary of an incident", value)
    }
}

impl From<&Incident> for Summary {
    fn from(incident: &Incident) -> Self {
        Self {
            id: incident.id.clone(),
            number: incident.number,
            title: incident.about.title.clone(),
            service: incident.about.service.clone(),
            team: incident.about.team.clone(),
            grade: incident.grading.grade,
            security: incident.grading.security,
            status: incident.lifecycle.status,
            acknowledged: incident.lifecycle.acknowledged_at.is_some(),
            operator: incident.roles.operator.clone(),
            opened_at: incident.lifecycle.opened_at,
            resolved_at: incident.lifecycle.resolved_at,
        }
    }
}
