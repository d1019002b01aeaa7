//! The grade of an incident, folded from its events.

use serde::{Deserialize, Serialize};

use crate::event::{Event, Opened, Recorded};
use crate::grading::grade::Grade;

/// The grade of an incident, and who set it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GradeState {
    pub grade: Grade,
    pub reason: String,
    /// Whether only people with clearance may see it.
    pub security: bool,
    /// Whether a person set the grade; policies then only propose.
    pub by_person: bool,
    /// Whether a policy failed and the built-in verdict was used; no outside audience is then told.
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
