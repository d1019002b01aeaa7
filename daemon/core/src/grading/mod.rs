//! How bad an incident is, and who says so: policies raise a grade and never lower it, and a
//! person's grade stands.

mod grade;

use serde::{Deserialize, Serialize};

use crate::command::{Env, Opening, Outcome, Refusal};
use crate::event::{Event, Opened, Recorded};
use crate::incident::Incident;
use crate::text::bounded;
use crate::{Actor, Verdict, escalation, limits};

pub use grade::{Grade, UnknownGrade};

/// How bad it is: the answer of `grade(incident, alert)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grading {
    /// The grade.
    pub grade: Grade,
    /// Whether only people with clearance may know.
    #[serde(default)]
    pub security: bool,
}

impl Grading {
    /// The grade in force once a policy has answered this: it raises the standing grade and never
    /// lowers it, and a person's grade stands. Plans go by it.
    #[must_use]
    pub fn over(self, standing: Option<Self>, by_person: bool) -> Self {
        let Some(standing) = standing else {
            return self;
        };
        Self {
            grade: match by_person {
                true => standing.grade,
                false => standing.grade.max(self.grade),
            },
            security: standing.security || self.security,
        }
    }
}

/// How bad an incident is, and who says so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GradeState {
    /// The grade.
    pub grade: Grade,
    /// Why that grade.
    pub reason: String,
    /// Whether only people with clearance may know.
    pub security: bool,
    /// Whether a person graded it: then policies only propose.
    pub by_person: bool,
    /// Whether no policy could be asked, so that no outside audience is told.
    pub by_fallback: bool,
}

impl GradeState {
    pub(crate) fn opened(opened: &Opened) -> Self {
        let sources = [&opened.route_source, &opened.grade_source];
        Self {
            grade: opened.grade,
            reason: opened.grade_reason.clone(),
            security: opened.security,
            by_person: opened.grade_source.is_none(),
            by_fallback: sources
                .into_iter()
                .flatten()
                .any(|source| source.fallback.is_some()),
        }
    }

    pub(crate) fn fold(&mut self, event: &Event) {
        if let Event::Graded {
            grade,
            security,
            reason,
            source,
        } = event
        {
            self.grade = *grade;
            self.security = *security;
            self.reason.clone_from(reason);
            self.by_person |= source.is_none();
            self.by_fallback &= source.as_ref().is_some_and(|it| it.fallback.is_some());
        }
    }
}

/// A person's grade, and with `replan` the escalation that goes with a raised one.
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

/// The events of a new kind of alert in an active incident: a policy raises a grade and never
/// lowers it, and a person's grade stands.
pub(crate) fn regrade(incident: &Incident, opening: &Opening, env: Env<'_>) -> Vec<Event> {
    match raise(incident, &opening.grading) {
        Some(event) => with_plan(incident, event, opening, &Actor::Tocsin, env),
        None => Vec::new(),
    }
}

/// An event of the grade, with the plan that goes with a raised grade or a new security flag and
/// its first step: who raises a grade wakes whom that grade wakes, unless somebody has the
/// incident already.
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
    if !is_raised || !incident.is_unanswered() || has_plan {
        return vec![graded];
    }
    escalation::replan(incident, vec![graded], opening, by, env)
}

/// What a policy's verdict does to the grade.
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

pub(crate) fn narrate(recorded: &Recorded) -> Option<String> {
    let by = &recorded.by;
    match &recorded.event {
        Event::Graded {
            grade,
            reason,
            source,
            ..
        } => Some(match source {
            Some(source) => format!("graded {grade} by {}: {reason}", source.file),
            None => format!("{by} graded it {grade}: {reason}"),
        }),
        Event::GradeProposed { grade, reason } => Some(format!(
            "a policy would grade it {grade} ({reason}); the grade set by hand stands"
        )),
        _ => None,
    }
}
