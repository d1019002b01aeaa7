//! The grade of an incident, folded from its events.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::event::{Event, Opened, Recorded};
use crate::grading::grade::{Grade, Grading};
use crate::prompts::Question;

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
    /// The reports of failed policies that the log has, until a policy answers again; at most
    /// [`FAILURES_MAX`].
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub failures: BTreeSet<String>,
    /// The grades that policies have proposed since a person graded: each is proposed once.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub proposed: BTreeSet<Grade>,
    /// The last grade that a policy proposed above a person's, and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rise: Option<(Grade, Timestamp)>,
    /// Since when a policy is unsure of the grade.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsure_since: Option<Timestamp>,
}

/// Most reports of failed policies that are remembered; after that they are logged again.
const FAILURES_MAX: usize = 4;

impl GradeState {
    pub(crate) fn opened(opened: &Opened, at: Timestamp) -> Self {
        let sources = [&opened.route_source, &opened.grade_source];
        let all = sources.into_iter().chain([&opened.plan_source]).flatten();
        let failures = all.filter_map(|it| it.fallback.clone());
        Self {
            failures: failures.collect(),
            grade: opened.grade,
            reason: opened.grade_reason.clone(),
            security: opened.security,
            by_person: opened.grade_source.is_none(),
            by_fallback: sources
                .into_iter()
                .flatten()
                .any(|source| source.fallback.is_some()),
            proposed: BTreeSet::new(),
            rise: None,
            unsure_since: opened.unsure.then_some(at),
        }
    }

    /// The grade and the flag.
    #[must_use]
    pub fn in_force(&self) -> Grading {
        Grading {
            grade: self.grade,
            security: self.security,
            unsure: self.unsure_since.is_some(),
        }
    }

    /// What the operator is asked about the grade, and since when.
    pub(crate) fn asks(&self) -> impl Iterator<Item = (Timestamp, Question)> {
        let unsure = self.unsure_since.map(|at| (at, Question::Grade));
        let rise = self.rise.map(|(grade, at)| (at, Question::Regrade(grade)));
        unsure.into_iter().chain(rise)
    }

    pub(crate) fn fold(&mut self, recorded: &Recorded) {
        match &recorded.event {
            Event::Graded {
                grade,
                security,
                unsure,
                reason,
                source,
            } => {
                let since = self.unsure_since.unwrap_or(recorded.at);
                self.unsure_since = unsure.then_some(since);
                self.grade = *grade;
                self.security = *security;
                self.reason.clone_from(reason);
                self.by_person |= source.is_none();
                if source.is_none() {
                    self.proposed.clear();
                    self.rise = None;
                }
                self.by_fallback &= source.as_ref().is_some_and(|it| it.fallback.is_some());
                if source.as_ref().is_some_and(|it| it.fallback.is_none()) {
                    self.failures.clear();
                }
            }
            Event::GradeProposed { grade, .. } => {
                self.proposed.insert(*grade);
                if *grade > self.grade {
                    self.rise = Some((*grade, recorded.at));
                }
            }
            Event::PolicyFailed { report } => {
                if self.failures.len() >= FAILURES_MAX {
                    self.failures.clear();
                }
                self.failures.insert(report.clone());
            }
            _ => {}
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
            unsure,
            ..
        } => Some(match source {
            Some(source) => {
                let unsure = if *unsure { ", unsure" } else { "" };
                format!("graded {grade} by {}{unsure}: {reason}", source.place())
            }
            None => format!("{by} graded it {grade}: {reason}"),
        }),
        Event::GradeProposed {
            grade,
            reason,
            source,
        } => {
            let by = source
                .as_ref()
                .map(|it| format!(", proposed by {}", it.place()));
            Some(format!(
                "a policy would grade it {grade} ({reason}){}; the grade stands until a person \
                 changes it",
                by.unwrap_or_default()
            ))
        }
        Event::PolicyFailed { report } => {
            let first = report.lines().next().unwrap_or_default();
            Some(format!("a policy failed: {first}"))
        }
        _ => None,
    }
}
