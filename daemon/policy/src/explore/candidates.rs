//! The candidates of a question that is made for a policy.

use tocsin_core::PersonId;
use tocsin_core::limits::RESPONSE_PEOPLE_MAX;

use crate::candidate::Candidate;
use crate::names::Names;
use crate::trace::{Answer, CandidateField};

/// How many candidates are tried: few, and more than an answer may name.
pub(super) const COUNTS: [i64; 4] = [0, 1, 2, RESPONSE_PEOPLE_MAX as i64 + 2];

/// An operator and somebody else.
pub(super) fn first(names: Option<&Names>) -> Vec<Candidate> {
    let mut found = Vec::new();
    let known = names.iter().flat_map(|it| &it.people).take(2);
    found.extend(known.map(|it| plain(it)));
    resize(&mut found, 2);
    found.iter_mut().take(1).for_each(|it| it.operator = true);
    found
}

pub(super) fn resize(candidates: &mut Vec<Candidate>, count: usize) {
    candidates.truncate(count);
    while candidates.len() < count {
        candidates.push(plain(&format!("somebody{}", candidates.len())));
    }
}

/// Makes a field of one of them another; `None` when it cannot be that.
pub(super) fn set(
    candidates: &mut [Candidate],
    at: usize,
    field: CandidateField,
    answer: &Answer,
) -> Option<()> {
    match (field, answer) {
        (CandidateField::Id, Answer::Text(id)) => {
            let id = PersonId::from(id.as_str());
            if candidates.iter().any(|it| it.id == id) {
                return None;
            }
            candidates.get_mut(at)?.id = id;
        }
        (CandidateField::Operator, Answer::Flag(is)) => {
            candidates.iter_mut().for_each(|it| it.operator = false);
            candidates.get_mut(at)?.operator = *is;
        }
        (CandidateField::Name, Answer::Text(name)) => {
            candidates.get_mut(at)?.name.clone_from(name);
        }
        (CandidateField::Level, Answer::Whole(level)) => {
            candidates.get_mut(at)?.level = u32::try_from(*level).ok()?;
        }
        (CandidateField::Teams, Answer::Texts(teams)) => {
            let teams = teams.iter().map(|it| it.as_str().into());
            candidates.get_mut(at)?.teams = teams.collect();
        }
        (CandidateField::OnCall, Answer::Flag(is)) => candidates.get_mut(at)?.on_call = *is,
        (CandidateField::Night, Answer::Flag(is)) => candidates.get_mut(at)?.night = *is,
        (CandidateField::Load(field), Answer::Whole(number)) => {
            *field.of(&mut candidates.get_mut(at)?.load) = u64::try_from(*number).ok()?;
        }
        _ => return None,
    }
    Some(())
}

fn plain(id: &str) -> Candidate {
    Candidate {
        id: id.into(),
        name: id.to_owned(),
        ..Candidate::default()
    }
}
