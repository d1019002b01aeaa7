//! What people are asked, and the answers that each question has.

use serde::{Deserialize, Serialize};

use crate::Grade;
use crate::limits;
use crate::promises::Audience;
use crate::roles::Role;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Question {
    /// Whether whoever acknowledged the incident is still on it.
    StillOnIt,
    /// Whether a person takes a role.
    Accept(Role),
    /// What an audience is told, as the update that it was promised is due.
    UpdateDue(Audience),
    /// Whether a person takes a task that has no owner.
    TakeTask(u32),
    /// How bad it is, as a policy is unsure.
    Grade,
    /// Whether it is as bad as a policy finds; a person graded it lower.
    Regrade(Grade),
    /// Whether it can be resolved directly or must be mitigated first.
    Approach,
    /// Whether it is solved, as nothing fires any more.
    Solved,
    /// Whether whoever is on call now takes over, as the operator's shift has ended.
    HandOver,
}

/// An answer to a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    pub id: &'static str,
    pub label: &'static str,
    /// Whether it should stand out as risky.
    pub danger: bool,
}

impl Choice {
    const fn of(id: &'static str, label: &'static str) -> Self {
        Self {
            id,
            label,
            danger: false,
        }
    }

    const fn risky(id: &'static str, label: &'static str) -> Self {
        Self {
            id,
            label,
            danger: true,
        }
    }
}

impl Question {
    /// The answers that it has.
    #[must_use]
    pub fn choices(self) -> &'static [Choice] {
        const STILL_ON_IT: [Choice; 2] = [
            Choice::of("yes", "Still on it"),
            Choice::risky("no", "Page somebody else"),
        ];
        const ACCEPT: [Choice; 2] = [Choice::of("yes", "Accept"), Choice::of("no", "Decline")];
        const GRADE: [Choice; 4] = [
            Choice::of("unreachable", "Unreachable"),
            Choice::of("data-lost", "Major feature broken, data lost"),
            Choice::of("broken", "Major feature broken"),
            Choice::of("works", "Major features work"),
        ];
        const REGRADE: [Choice; 2] = [
            Choice::of("yes", "Yes"),
            Choice::of("no", "No, it stays as it is"),
        ];
        const APPROACH: [Choice; 2] = [
            Choice::of("resolve", "Resolve directly"),
            Choice::of("mitigate", "Mitigate first"),
        ];
        const SOLVED: [Choice; 3] = [
            Choice::of("yes", "Solved"),
            Choice::of("mitigated", "Only mitigated"),
            Choice::of("no", "Not yet"),
        ];
        const HAND_OVER: [Choice; 2] = [
            Choice::of("yes", "Hand it over"),
            Choice::of("no", "I stay on it"),
        ];
        match self {
            Self::StillOnIt => &STILL_ON_IT,
            Self::Accept(_) => &ACCEPT,
            Self::TakeTask(_) => const { &[Choice::of("yes", "I take it")] },
            Self::UpdateDue(_) => const { &[Choice::of("nothing-new", "Say: nothing new yet")] },
            Self::Grade => &GRADE,
            Self::Regrade(_) => &REGRADE,
            Self::Approach => &APPROACH,
            Self::Solved => &SOLVED,
            Self::HandOver => &HAND_OVER,
        }
    }

    /// The grade that an answer sets.
    #[must_use]
    pub fn grade_of(self, choice: &str) -> Option<Grade> {
        match (self, choice) {
            (Self::Grade, "unreachable" | "data-lost") => Some(Grade::Critical),
            (Self::Grade, "broken") => Some(Grade::Major),
            (Self::Grade, "works") => Some(Grade::Minor),
            (Self::Regrade(grade), "yes") => Some(grade),
            _ => None,
        }
    }

    /// A short name that no other question has, for keys.
    #[must_use]
    pub fn key(self) -> String {
        match self {
            Self::StillOnIt => "still-on-it".to_owned(),
            Self::Accept(role) => format!("accept-{role}"),
            Self::UpdateDue(audience) => format!("update-due-{audience}"),
            Self::TakeTask(task) => format!("take-task-{task}"),
            Self::Grade => "grade".to_owned(),
            Self::Regrade(grade) => format!("regrade-{grade}"),
            Self::Approach => "approach".to_owned(),
            Self::Solved => "solved".to_owned(),
            Self::HandOver => "hand-over".to_owned(),
        }
    }

    /// Whether it is the operator's to answer, whoever that is.
    #[must_use]
    pub(crate) fn is_for_operator(self) -> bool {
        use Question::{Approach, Grade, HandOver, Regrade, Solved};
        matches!(self, Grade | Regrade(_) | Approach | Solved | HandOver)
    }

    /// How long the operator has to answer, in milliseconds.
    pub(crate) fn wait_ms(self) -> u64 {
        match self {
            Self::Solved => limits::SOLVED_WAIT_MS,
            _ => limits::OPERATOR_ANSWER_WAIT_MS,
        }
    }

    /// The choice of an ID.
    #[must_use]
    pub fn choice(self, id: &str) -> Option<&'static Choice> {
        self.choices().iter().find(|it| it.id == id)
    }

    /// The question itself.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::StillOnIt => "Are you still on it?",
            Self::Accept(Role::Operator) => "Will you take over as the operator?",
            Self::Accept(Role::Spokesperson) => "Will you be the spokesperson?",
            Self::Accept(Role::Commander) => "Will you be the commander?",
            Self::Accept(Role::Shadow) => "Will you be the shadow?",
            Self::TakeTask(_) => "A task has no owner. Do you take it?",
            Self::UpdateDue(Audience::Engineering) => "What do you tell engineering?",
            Self::UpdateDue(Audience::Company) => "What do you tell the company?",
            Self::UpdateDue(Audience::Public) => "What do you tell the public?",
            Self::Grade => {
                "How bad is it? Is it reachable, does a major feature work, is data lost?"
            }
            Self::Regrade(Grade::Critical) => "A policy finds it critical. Is it?",
            Self::Regrade(_) => "A policy finds it worse than it is graded. Is it?",
            Self::Approach => "Can it be resolved directly, or must it be mitigated first?",
            Self::Solved => "Nothing fires any more. Is it solved?",
            Self::HandOver => "Your shift is over. Do you hand this incident over?",
        }
    }

    /// What follows without an answer, in a sentence.
    #[must_use]
    pub fn otherwise(self) -> &'static str {
        match self {
            Self::StillOnIt => {
                "Without an answer the escalation starts again, unless nothing fires any more."
            }
            Self::Accept(_) => "Without an answer the role stays as it is.",
            Self::TakeTask(_) => "Or assign it: `task NUMBER @PERSON`.",
            Self::Grade | Self::Regrade(_) => "Without an answer the grade stays as it is.",
            Self::Approach => "The answer goes to the log as a decision.",
            Self::Solved => "Without an answer it is resolved after a day, if nothing fires again.",
            Self::HandOver => {
                "Whoever is on call now is asked to accept. Without an answer you stay the \
                 operator."
            }
            Self::UpdateDue(Audience::Engineering) => {
                "An update was promised: write `update engineering TEXT next 30m`."
            }
            Self::UpdateDue(Audience::Company) => {
                "An update was promised: write `update company TEXT next 30m`."
            }
            Self::UpdateDue(Audience::Public) => {
                "An update was promised: write `update public TEXT next 30m`."
            }
        }
    }
}
