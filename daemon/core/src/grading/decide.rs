//! The events of a grade set by a person or a policy.

use crate::event::Event;
use crate::grading::grade::{Grade, Grading};
use crate::incident::Incident;
use crate::outcome::{Env, Opening, Outcome};
use crate::refusal::Refusal;
use crate::text::bounded;
use crate::{Actor, Verdict, escalation, limits};

/// Whether this flag may be set on the incident as it is now. It is checked here and not before the
/// command, since the flag may have been set in between.
pub(crate) fn may_grade(
    incident: &Incident,
    security: Option<bool>,
    may_declassify: bool,
) -> Result<(), Refusal> {
    match incident.grading.security && security == Some(false) && !may_declassify {
        true => Err(Refusal::Classified),
        false => Ok(()),
    }
}

/// A person's grade, and with `replan` the new escalation if the grade is raised.
pub(crate) fn by_hand(
    incident: &Incident,
    (grade, security, reason): (Grade, Option<bool>, String),
    replan: Option<&Opening>,
    by: &Actor,
    env: Env<'_>,
) -> Result<Outcome, Refusal> {
    let reason = bounded("reason", reason, limits::REASON_BYTES_MAX)?;
    let event = Event::Graded {
        grade,
        security: security.unwrap_or(incident.grading.security),
        reason,
        source: None,
    };
    Ok(Outcome {
        events: match replan {
            Some(opening) => with_plan(incident, event, opening, by, env),
            None => vec![event],
        },
        reply: format!("incident {} is graded {grade}", incident.number),
        ..Outcome::default()
    })
}

/// The events of a new kind of alert in an active incident. A policy only raises a grade, and
/// never overrides a person's grade.
pub(crate) fn regrade(incident: &Incident, opening: &Opening, env: Env<'_>) -> Vec<Event> {
    match raise(incident, &opening.grading) {
        Some(event) => with_plan(incident, event, opening, &Actor::Tocsin, env),
        None => Vec::new(),
    }
}

/// The grade event, and for a raised grade or a new security flag the new plan. Its first step is
/// taken unless the incident is acknowledged: then the plan begins if the acknowledgement is
/// withdrawn.
fn with_plan(
    incident: &Incident,
    graded: Event,
    opening: &Opening,
    by: &Actor,
    env: Env<'_>,
) -> Vec<Event> {
    let is_raised = match &graded {
        Event::Graded {
            grade, security, ..
        } => *grade > incident.grading.grade || (*security && !incident.grading.security),
        _ => false,
    };
    let has_plan = opening.plan.value == incident.escalation.plan;
    if !is_raised || !incident.is_active() || has_plan {
        return vec![graded];
    }
    escalation::replan(incident, vec![graded], opening, by, env)
}

/// The event of a policy's verdict, if it changes the grade or proposes to.
pub(crate) fn raise(incident: &Incident, verdict: &Verdict<Grading>) -> Option<Event> {
    let (state, asked) = (&incident.grading, verdict.value);
    let reason = verdict.reason.clone();
    let adds_security = asked.security && !state.security;
    if asked.grade <= state.grade && !adds_security {
        return None;
    }
    if state.by_person && asked.grade > state.grade {
        let grade = asked.grade;
        return Some(Event::GradeProposed { grade, reason });
    }
    let standing = Grading {
        grade: state.grade,
        security: state.security,
    };
    let Grading { grade, security } = asked.over(Some(standing), state.by_person);
    Some(Event::Graded {
        grade,
        security,
        reason,
        source: Some(verdict.source.clone()),
    })
}
