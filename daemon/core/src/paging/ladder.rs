//! Ladders: by which contacts a person is paged, in which order, and how long each rung waits for
//! an acknowledgement before the next one follows.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::grading::Grade;
use crate::limits;

/// A person's ladders.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ladders {
    /// For incidents of these grades.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub by_grade: BTreeMap<Grade, Ladder>,
    /// For the other grades; `None`: every contact in order, a rung each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other: Option<Ladder>,
}

/// The rungs of a ladder, in order; at most [`LADDER_RUNGS_MAX`](limits::LADDER_RUNGS_MAX).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ladder(pub Vec<LadderRung>);

/// Kinds of contacts that are tried at the same time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LadderRung {
    pub kinds: Vec<String>,
    /// How long it waits for an acknowledgement, in milliseconds.
    pub wait_ms: u64,
}

/// A rung of a page: its next contacts, which are tried at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rung {
    pub contacts: u32,
    /// How long it waits for an acknowledgement once a channel has accepted it, in milliseconds.
    pub wait_ms: u64,
}

impl Ladders {
    /// The ladder for a grade, if one is set.
    #[must_use]
    pub fn of(&self, grade: Grade) -> Option<&Ladder> {
        self.by_grade.get(&grade).or(self.other.as_ref())
    }

    /// Has every ladder try contacts of the kind `to` where it names `from`, and at its end if it
    /// names neither.
    pub fn end_with(&mut self, from: &str, to: &str) {
        for ladder in self.by_grade.values_mut().chain(&mut self.other) {
            let kinds = ladder.0.iter_mut().flat_map(|it| &mut it.kinds);
            for kind in kinds.filter(|it| *it == from) {
                to.clone_into(kind);
            }
            if !ladder.0.iter().any(|it| it.kinds.iter().any(|it| it == to)) {
                ladder.0.push(LadderRung {
                    kinds: vec![to.to_owned()],
                    wait_ms: limits::RUNG_WAIT_MS,
                });
            }
        }
    }
}
