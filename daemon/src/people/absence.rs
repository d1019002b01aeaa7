//! When people are out of office.

use serde::{Deserialize, Serialize};
use tocsin_core::Timestamp;

/// Most absences of one person.
pub const ABSENCES_MAX: usize = 256;

/// A time in which somebody is out of office.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Absence {
    pub from: Timestamp,
    /// The end, exclusive.
    pub until: Timestamp,
}

/// The absences of one person: in order, without overlaps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Absences(Vec<Absence>);

impl Absences {
    /// The absences in order; those that overlap or touch become one. Only the first
    /// [`ABSENCES_MAX`] are kept.
    #[must_use]
    pub fn new(mut all: Vec<Absence>) -> Self {
        all.retain(|it| it.from < it.until);
        all.sort();
        let mut merged: Vec<Absence> = Vec::new();
        for absence in all {
            match merged.last_mut() {
                Some(last) if absence.from <= last.until => {
                    last.until = last.until.max(absence.until);
                }
                _ => merged.push(absence),
            }
        }
        merged.truncate(ABSENCES_MAX);
        Self(merged)
    }

    /// Until when the person is out of office; `None` if they are not at `at`.
    #[must_use]
    pub fn until(&self, at: Timestamp) -> Option<Timestamp> {
        let after = self.0.partition_point(|it| it.from <= at);
        let last = self.0.get(after.checked_sub(1)?)?;
        (at < last.until).then_some(last.until)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Absence> {
        self.0.iter()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
