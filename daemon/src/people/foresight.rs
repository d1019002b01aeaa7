//! What goes wrong with who is on call in the time to come.

use tocsin_core::time::HOUR_MS;
use tocsin_core::{PersonId, Timestamp};

use super::choice::{Hindrance, Reach};
use super::outlook::Gap;
use super::roster::Roster;
use crate::time::in_zone;

/// How far ahead is looked for what goes wrong, in milliseconds: 14 days.
pub const FORESIGHT_MS: u64 = 14 * 24 * HOUR_MS;
/// Most warnings at once.
pub const WARNINGS_MAX: usize = 100;

/// What goes wrong with who is on call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OnCallWarning {
    /// A rotation reaches nobody; its first gap.
    Gap(Gap),
    /// Somebody is on call while they are out of office, for the first time.
    Away {
        rotation: String,
        person: PersonId,
        from: Timestamp,
        paged: PersonId,
    },
    /// An override puts somebody on call whom nothing reaches.
    Unreachable {
        rotation: String,
        person: PersonId,
        from: Timestamp,
    },
}

impl Roster {
    /// What goes wrong with each rotation between two times, at most [`WARNINGS_MAX`] things: the
    /// first gap, the first shift of somebody who is out of office, and overrides of people whom
    /// nothing reaches.
    #[must_use]
    pub fn warnings(&self, window: (Timestamp, Timestamp), reach: Reach<'_>) -> Vec<OnCallWarning> {
        let mut warnings = Vec::new();
        for (name, rotation) in &self.rotations {
            let first = self.gaps(name, window, reach).into_iter().next();
            warnings.extend(first.map(OnCallWarning::Gap));
            let mut spans = self.outlook(name, window, reach).into_iter();
            warnings.extend(spans.find_map(|span| match (span.hindrance, span.on_call) {
                (Some(Hindrance::Absent(_)), Some(person)) => Some(OnCallWarning::Away {
                    rotation: name.clone(),
                    person,
                    from: span.from,
                    paged: span.paged?,
                }),
                _ => None,
            }));
            let in_window = |from, until| from < window.1 && window.0 < until;
            for over in &rotation.overrides {
                let person = self.people.get(&over.person);
                if in_window(over.from, over.until) && person.is_some_and(|it| !reach(it)) {
                    warnings.push(OnCallWarning::Unreachable {
                        rotation: name.clone(),
                        person: over.person.clone(),
                        from: over.from,
                    });
                }
            }
        }
        warnings.truncate(WARNINGS_MAX);
        warnings
    }
}

impl OnCallWarning {
    /// Whose shifts it is about.
    #[must_use]
    pub fn rotation(&self) -> &str {
        match self {
            Self::Gap(gap) => &gap.rotation,
            Self::Away { rotation, .. } | Self::Unreachable { rotation, .. } => rotation,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Gap(Gap { on_call: None, .. }) => {
                "pages for it go to [escalation] fallback; add a layer that covers these hours, or \
                 an override with `tocsin oncall override`"
            }
            Self::Gap(_) => {
                "pages for it go to [escalation] fallback; give these people a contact that a \
                 plugin or [mail] serves"
            }
            Self::Away { .. } => {
                "have somebody take the shift with `tocsin oncall override` or `swap`"
            }
            Self::Unreachable { .. } => {
                "cancel the override with `tocsin oncall cancel`, or give them a contact that a \
                 plugin or [mail] serves"
            }
        }
    }
}

impl OnCallWarning {
    /// What it says, with times in the rotation's zone, and the remedy.
    #[must_use]
    pub fn told(&self, roster: &Roster) -> (String, String) {
        let zone = roster.rotation_zone(self.rotation());
        let says = self.text(|at| in_zone(zone, at));
        (says, self.remedy().to_owned())
    }

    /// What it says; times are written by `shown`.
    #[must_use]
    pub fn text(&self, shown: impl Fn(Timestamp) -> String) -> String {
        match self {
            Self::Gap(gap) => {
                let (rotation, from) = (&gap.rotation, shown(gap.from));
                match &gap.on_call {
                    None => format!("nobody is on call for {rotation} from {from}"),
                    Some(person) => format!(
                        "nobody on call for {rotation} can be reached from {from}; {person} is \
                         scheduled"
                    ),
                }
            }
            Self::Away {
                rotation,
                person,
                from,
                paged,
            } => {
                let from = shown(*from);
                format!(
                    "{person} is on call for {rotation} from {from}, but out of office by their \
                     calendar; {paged} is paged"
                )
            }
            Self::Unreachable {
                rotation,
                person,
                from,
            } => {
                let from = shown(*from);
                format!(
                    "an override puts {person} on call for {rotation} from {from}, but nothing \
                     serves their contacts"
                )
            }
        }
    }
}
