//! What a policy can read of the candidates: how many there are, and a field of one of them.

use serde::{Deserialize, Serialize};

use super::Answer;
use crate::candidate::Candidate;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CandidateField {
    Id,
    Name,
    Level,
    Teams,
    OnCall,
    Night,
    Operator,
    Load(LoadField),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LoadField {
    Incidents,
    Pages,
    NightPages,
    OperatorMinutes,
    SpokespersonMinutes,
}

impl CandidateField {
    /// Without those of the load.
    pub(crate) const OWN: [Self; 7] = [
        Self::Id,
        Self::Name,
        Self::Level,
        Self::Teams,
        Self::OnCall,
        Self::Night,
        Self::Operator,
    ];

    /// The property in scripts.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Name => "name",
            Self::Level => "level",
            Self::Teams => "teams",
            Self::OnCall => "on_call",
            Self::Night => "night",
            Self::Operator => "operator",
            Self::Load(field) => field.name(),
        }
    }

    pub(super) fn answer(self, of: &Candidate) -> Answer {
        match self {
            Self::Id => Answer::Text(of.id.to_string()),
            Self::Name => Answer::Text(of.name.clone()),
            Self::Level => Answer::Whole(i64::from(of.level)),
            Self::Teams => Answer::Texts(of.teams.iter().map(|it| it.0.clone()).collect()),
            Self::OnCall => Answer::Flag(of.on_call),
            Self::Night => Answer::Flag(of.night),
            Self::Operator => Answer::Flag(of.operator),
            Self::Load(field) => {
                let mut load = of.load;
                Answer::Whole(i64::try_from(*field.of(&mut load)).unwrap_or(i64::MAX))
            }
        }
    }
}

impl LoadField {
    pub(crate) const ALL: [Self; 5] = [
        Self::Incidents,
        Self::Pages,
        Self::NightPages,
        Self::OperatorMinutes,
        Self::SpokespersonMinutes,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Incidents => "incidents",
            Self::Pages => "pages",
            Self::NightPages => "night_pages",
            Self::OperatorMinutes => "operator_minutes",
            Self::SpokespersonMinutes => "spokesperson_minutes",
        }
    }

    /// The number itself.
    pub(crate) fn of(self, load: &mut crate::candidate::CandidateLoad) -> &mut u64 {
        match self {
            Self::Incidents => &mut load.incidents,
            Self::Pages => &mut load.pages,
            Self::NightPages => &mut load.night_pages,
            Self::OperatorMinutes => &mut load.operator_minutes,
            Self::SpokespersonMinutes => &mut load.spokesperson_minutes,
        }
    }
}
