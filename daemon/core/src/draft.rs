//! An incident that a person or a plugin opens by hand.

use crate::alert::Tally;
use crate::command::{Delays, Opening, Outcome, Refusal};
use crate::decide::{bounded, cut, take_step};
use crate::event::{Event, Opened, Recorded};
use crate::intake::NewIncidentId;
use crate::{Actor, Grade, Incident, IncidentKey, Labels, TeamId, Timestamp, limits};

/// What whoever opens an incident says of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Draft {
    /// One line.
    pub title: String,
    /// More.
    pub summary: String,
    /// The service that is hurt.
    pub service: String,
    /// The team that owns it.
    pub team: Option<TeamId>,
    /// The key; `None`: one of its own.
    pub key: Option<IncidentKey>,
    /// The grade, when the person gives it; else the policy's stands.
    pub grade: Option<Grade>,
    /// Whether it is an exercise.
    pub drill: bool,
}

/// Opens an incident by hand.
///
/// # Errors
/// [`Refusal::Invalid`] when the title is missing or too long.
pub fn open_by_hand(
    draft: Draft,
    opening: &Opening,
    by: &Actor,
    new_id: &NewIncidentId,
    now: Timestamp,
    delays: &Delays,
) -> Result<Outcome, Refusal> {
    let title = bounded("title", draft.title, limits::TITLE_BYTES_MAX)?;
    let key = draft
        .key
        .unwrap_or_else(|| IncidentKey(format!("by-hand/{}", new_id.id)));
    let (grade, grade_reason, grade_source) = match draft.grade {
        Some(grade) => (grade, format!("{by} graded it"), None),
        None => {
            let verdict = &opening.grading;
            (
                verdict.value.grade,
                verdict.reason.clone(),
                Some(verdict.source.clone()),
            )
        }
    };
    let opened = Opened {
        number: new_id.number,
        key,
        title,
        summary: cut(draft.summary, limits::SUMMARY_BYTES_MAX),
        service: draft.service,
        team: draft.team,
        grade,
        security: opening.grading.value.security,
        grade_reason,
        grade_source,
        route_reason: format!("{by} opened it"),
        route_source: None,
        plan: opening.plan.value.clone(),
        plan_reason: opening.plan.reason.clone(),
        plan_source: Some(opening.plan.source.clone()),
        labels: Labels::new(),
        link: None,
        counts: crate::alert::Counts::default(),
        drill: draft.drill,
    };
    let mut events = vec![Event::Opened(Box::new(opened))];
    let first = Recorded {
        at: now,
        by: by.clone(),
        event: events[0].clone(),
    };
    if let Ok(incident) = Incident::begin(&new_id.id, &first) {
        events.extend(take_step(&incident, &opening.responders, now, delays));
    }
    let reply = format!("incident {} is open, graded {grade}", new_id.number);
    Ok(Outcome {
        events,
        reply,
        tally: Some(Tally::default()),
        ..Outcome::default()
    })
}
