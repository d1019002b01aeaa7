//! Grades: the severity of an incident.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The severity of an incident. Ordered: `Minor < Major < Critical`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    /// Abnormal, but major features are unaffected.
    Minor,
    /// A major feature is broken, without data loss.
    Major,
    /// Unreachable, or a major feature broken with data loss.
    Critical,
}

impl Grade {
    /// In ascending order.
    pub const ALL: [Self; 3] = [Self::Minor, Self::Major, Self::Critical];

    /// `minor`, `major` or `critical`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Minor => "minor",
            Self::Major => "major",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Grade {
    type Err = UnknownGrade;

    fn from_str(text: &str) -> Result<Self, UnknownGrade> {
        Self::ALL
            .into_iter()
            .find(|grade| grade.as_str() == text)
            .ok_or_else(|| UnknownGrade(text.to_owned()))
    }
}

/// A string that is not a grade.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not a grade; use minor, major or critical")]
pub struct UnknownGrade(pub String);

/// The result of `grade(incident, alert)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grading {
    pub grade: Grade,
    /// Whether only people with clearance may see it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub security: bool,
    /// Whether the policy cannot tell; then the operator is asked.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unsure: bool,
}

impl Grading {
    /// The higher grade, and the flag if either has it. It is unsure if a verdict with that grade
    /// is.
    #[must_use]
    pub fn highest(self, other: Self) -> Self {
        let grade = self.grade.max(other.grade);
        Self {
            grade,
            security: self.security || other.security,
            unsure: [self, other]
                .iter()
                .any(|it| it.grade == grade && it.unsure),
        }
    }

    /// The grade in force after this verdict: a policy only raises the current grade, and never
    /// overrides a person's grade. Plans are based on the grade in force.
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
            unsure: self.unsure && !by_person,
        }
    }
}
