//! What a rotation's schedule comes to: who is on call when, who would be paged, and the gaps in
//! which nobody would be.

use std::collections::BTreeSet;

use tocsin_core::{PersonId, Timestamp};

use super::choice::{Hindrance, Reach};
use super::roster::Roster;
use super::rotation::SHIFTS_MAX;

/// A time span in which the same people are on call and paged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    pub from: Timestamp,
    /// The end, exclusive.
    pub until: Timestamp,
    /// Who is on call; `None` if nobody is.
    pub on_call: Option<PersonId>,
    /// The override that puts them on call, if people made it.
    pub over: Option<String>,
    /// Why somebody else is paged, if somebody else can be.
    pub hindrance: Option<Hindrance>,
    /// Who is paged; `None` in a gap, in which only `[escalation] fallback` is.
    pub paged: Option<PersonId>,
}

/// A time span in which a rotation reaches nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    pub rotation: String,
    pub from: Timestamp,
    /// Exclusive; the end of what was looked at, if it goes on.
    pub until: Timestamp,
    /// Who is on call, but cannot be reached; `None` if nobody is.
    pub on_call: Option<PersonId>,
}

impl Roster {
    /// Who is on call and who is paged from `from` until `until`, without gaps or overlaps; empty
    /// for a rotation that does not exist. Stops after [`SHIFTS_MAX`] spans.
    #[must_use]
    pub fn outlook(
        &self,
        name: &str,
        (from, until): (Timestamp, Timestamp),
        reach: Reach<'_>,
    ) -> Vec<Span> {
        let mut spans: Vec<Span> = Vec::new();
        let Some(rotation) = self.rotations.get(name).filter(|_| from < until) else {
            return spans;
        };
        let absences = self.absences.values().flat_map(|it| it.iter());
        let absences = absences.flat_map(|it| [it.from, it.until]);
        let mut edges: BTreeSet<Timestamp> = rotation.edges(from, until).collect();
        edges.extend(absences.filter(|at| from < *at && *at < until));
        edges.insert(from);
        for at in edges {
            let now = self.paged_of(name, at, reach);
            let span = Span {
                from: at,
                until,
                over: rotation.override_at(at).and_then(|it| it.id.clone()),
                on_call: now.scheduled,
                hindrance: now.hindrance,
                paged: now.paged,
            };
            if let Some(last) = spans.last_mut() {
                if last.is_as(&span) {
                    continue;
                }
                last.until = at;
            }
            if spans.len() == SHIFTS_MAX {
                break;
            }
            spans.push(span);
        }
        spans
    }

    /// When a rotation reaches nobody between two times: nobody is on call, or nobody who is could
    /// be reached.
    #[must_use]
    pub fn gaps(&self, name: &str, window: (Timestamp, Timestamp), reach: Reach<'_>) -> Vec<Gap> {
        let mut gaps: Vec<Gap> = Vec::new();
        for span in self.outlook(name, window, reach) {
            if span.paged.is_some() {
                continue;
            }
            match gaps.last_mut() {
                Some(last) if last.until == span.from && last.on_call == span.on_call => {
                    last.until = span.until;
                }
                _ => gaps.push(Gap {
                    rotation: name.to_owned(),
                    from: span.from,
                    until: span.until,
                    on_call: span.on_call,
                }),
            }
        }
        gaps
    }
}

impl Span {
    /// Whether nothing but the time differs.
    fn is_as(&self, other: &Self) -> bool {
        self.on_call == other.on_call
            && self.over == other.over
            && self.hindrance == other.hindrance
            && self.paged == other.paged
    }
}
