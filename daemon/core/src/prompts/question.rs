//! What people are asked, and the answers that each question has.

use serde::{Deserialize, Serialize};

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
}

/// An answer to a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    pub id: &'static str,
    pub label: &'static str,
    /// Whether it should stand out as risky.
    pub danger: bool,
}

impl Question {
    /// The answers that it has.
    #[must_use]
    pub fn choices(self) -> &'static [Choice] {
        match self {
            Self::StillOnIt => &[
                Choice {
                    id: "yes",
                    label: "Still on it",
                    danger: false,
                },
                Choice {
                    id: "no",
                    label: "Page somebody else",
                    danger: true,
                },
            ],
            Self::Accept(_) => &[
                Choice {
                    id: "yes",
                    label: "Accept",
                    danger: false,
                },
                Choice {
                    id: "no",
                    label: "Decline",
                    danger: false,
                },
            ],
            Self::TakeTask(_) => &[Choice {
                id: "yes",
                label: "I take it",
                danger: false,
            }],
            Self::UpdateDue(_) => &[Choice {
                id: "nothing-new",
                label: "Say: nothing new yet",
                danger: false,
            }],
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
