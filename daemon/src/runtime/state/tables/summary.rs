//! One line per incident, by number: what lists are made of, so that a list never reads streams.

use serde::{Deserialize, Serialize};
use tocsin_core::incident::Incident;
use tocsin_core::{Grade, IncidentId, PersonId, Status, TeamId, Timestamp};
use tocsin_store::{Store, Table};

use super::{RowWrites, TypedTable};
use crate::disclosure::{Clearance, DisclosedLine};
use crate::runtime::error::EngineError;

const SUMMARIES: TypedTable<Summary> =
    TypedTable::new(Table::Summary, "the summary of an incident");
/// Lines that one read brings, and reads that one list makes, at most.
const WINDOW_ROWS: u64 = 256;
const WINDOWS_MAX: usize = 64;

/// An incident in one line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    pub id: IncidentId,
    /// The short number that people use.
    pub number: u64,
    title: String,
    service: String,
    team: Option<TeamId>,
    pub grade: Grade,
    /// Whether only people with clearance may see the details.
    pub security: bool,
    pub status: Status,
    pub acknowledged: bool,
    /// The person who responds.
    pub operator: Option<PersonId>,
    pub opened_at: Timestamp,
    /// When the service was working again.
    pub resolved_at: Option<Timestamp>,
}

/// The line of the incident with a number.
///
/// # Errors
/// [`EngineError`] when the store fails or the row is damaged.
pub fn of_number(store: &dyn Store, number: u64) -> Result<Option<Summary>, EngineError> {
    Ok(SUMMARIES.get(store, &row_key(number))?.map(|row| row.value))
}

/// Lines with higher numbers than `after`, the lowest first, at most `limit`.
///
/// # Errors
/// As [`of_number`].
pub fn after(
    store: &dyn Store,
    after: Option<u64>,
    limit: usize,
) -> Result<Vec<Summary>, EngineError> {
    let after = after.map(row_key);
    let rows = SUMMARIES.page(store, "", after.as_deref(), limit)?;
    Ok(rows.into_iter().map(|(_, row)| row.value).collect())
}

/// Lines with lower numbers than `before`, the newest first, at most `limit`, and where the next
/// page begins. The store reads upwards, so this reads window by window downwards; `last` is the
/// highest number.
///
/// # Errors
/// As [`of_number`].
pub fn newest(
    store: &dyn Store,
    last: u64,
    before: Option<u64>,
    limit: usize,
    takes: impl Fn(&Summary) -> bool,
) -> Result<(Vec<Summary>, Option<u64>), EngineError> {
    let mut end = before.unwrap_or(u64::MAX).min(last.saturating_add(1));
    let mut found = Vec::new();
    for _ in 0..WINDOWS_MAX {
        if end <= 1 {
            return Ok((found, None));
        }
        let start = end.saturating_sub(WINDOW_ROWS + 1);
        let count = usize::try_from(end - start - 1).unwrap_or(0);
        for summary in after(store, Some(start), count)?.into_iter().rev() {
            if summary.number >= end || !takes(&summary) {
                continue;
            }
            let number = summary.number;
            found.push(summary);
            if found.len() == limit {
                return Ok((found, (number > 1).then_some(number)));
            }
        }
        end = start + 1;
    }
    Ok((found, Some(end)))
}

/// Writes an incident's line.
///
/// # Errors
/// [`EngineError::Damaged`] when it cannot be expressed as JSON.
pub(crate) fn put(incident: &Incident) -> Result<RowWrites, EngineError> {
    SUMMARIES.put(&row_key(incident.number), &Summary::from(incident))
}

/// Byte order is the order of numbers.
fn row_key(number: u64) -> String {
    format!("{number:012}")
}

impl Summary {
    /// What its reader may see of it.
    #[must_use]
    pub fn disclosed(self, clearance: Clearance) -> DisclosedLine {
        let line = DisclosedLine {
            id: self.id,
            number: self.number,
            title: self.title,
            service: Some(self.service),
            team: self.team,
            grade: self.grade,
            security: self.security,
            status: self.status,
            acknowledged: self.acknowledged,
            operator: self.operator,
            opened_at: self.opened_at,
            resolved_at: self.resolved_at,
        };
        line.under(clearance)
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
