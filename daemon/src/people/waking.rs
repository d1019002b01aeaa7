//! What keeps a page from waking its person: a ladder that makes no sound, a step that is over
//! before the ladder comes to its first sound, a contact of which nobody knows that it works.

use std::collections::{BTreeMap, BTreeSet};

use tocsin_core::time::span_in_words;
use tocsin_core::{Contact, Grade, PageTarget, Person, PersonId, Plan, Step, Timestamp};

use super::choice::Reach;
use super::responders::ResponderLookup;
use super::roster::Roster;
use super::rotation::Rotation;
use crate::time::in_zone;

/// The grades that page at night.
const NIGHT_GRADES: [Grade; 2] = [Grade::Critical, Grade::Major];
/// Most warnings at once.
const WARNINGS_MAX: usize = 100;

/// Whether a person has pressed what came through a contact lately.
pub type Proven<'a> = &'a dyn Fn(&PersonId, &Contact) -> bool;

/// What keeps a page from waking its person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WakingWarning {
    /// Nothing of their ladder makes a sound.
    Quiet {
        person: PersonId,
        /// The grades of the incidents.
        grades: Vec<Grade>,
    },
    /// A step of a plan goes on before their ladder comes to its first loud rung.
    Late {
        person: PersonId,
        grade: Grade,
        /// The step's number, from 1.
        step: usize,
        /// How long it waits, in milliseconds.
        wait_ms: u64,
        /// When the first loud rung begins, in milliseconds after the page.
        loud_after_ms: u64,
    },
    /// A step of a plan is to page more people than the steps before it, and pages nobody new: they
    /// are all that the plan and the fallback have.
    Alone {
        person: PersonId,
        grade: Grade,
        /// The step's number, from 1.
        step: usize,
    },
    /// They are on call, and no contact that would wake them is proven.
    Unproven {
        person: PersonId,
        rotation: String,
        from: Timestamp,
    },
}

/// Who is paged for which rotation within some time, and from when on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OnCallSoon(BTreeMap<String, BTreeMap<PersonId, Timestamp>>);

impl OnCallSoon {
    /// Who is paged for each rotation between two times.
    #[must_use]
    pub fn of(roster: &Roster, window: (Timestamp, Timestamp), reach: Reach<'_>) -> Self {
        let of_rotation = |name: &String| {
            let mut people = BTreeMap::new();
            for span in roster.outlook(name, window, reach) {
                if let Some(person) = span.paged {
                    people.entry(person).or_insert(span.from);
                }
            }
            (name.clone(), people)
        };
        Self(roster.rotations.keys().map(of_rotation).collect())
    }

    /// The people behind a target.
    fn behind(&self, target: &PageTarget, roster: &Roster) -> Vec<PersonId> {
        match target {
            PageTarget::Person(id) => vec![id.clone()],
            PageTarget::Team(team) => roster.members(team),
            PageTarget::OnCall(name) => {
                let of_team = || roster.teams.get(name.as_str())?.as_ref();
                let people = self.0.get(name).or_else(|| self.0.get(of_team()?));
                people
                    .into_iter()
                    .flat_map(|it| it.keys().cloned())
                    .collect()
            }
        }
    }
}

impl ResponderLookup {
    /// What keeps pages from waking the people who are on call soon, at most 100 things. `plans`:
    /// what policies say for incidents of these grades. Without `proven`, it is not known which
    /// contacts are.
    #[must_use]
    pub fn waking_warnings(
        &self,
        soon: &OnCallSoon,
        plans: &[(Grade, Plan)],
        proven: Option<Proven<'_>>,
    ) -> Vec<WakingWarning> {
        let mut warnings = alone(&self.rosters.now(), plans);
        warnings.extend(self.all_waking_warnings(soon, plans, proven));
        warnings.truncate(WARNINGS_MAX);
        warnings
    }

    fn all_waking_warnings(
        &self,
        soon: &OnCallSoon,
        plans: &[(Grade, Plan)],
        proven: Option<Proven<'_>>,
    ) -> Vec<WakingWarning> {
        let roster = self.rosters.now();
        let mut paged: BTreeSet<PersonId> =
            soon.0.values().flat_map(|it| it.keys().cloned()).collect();
        paged.extend(
            roster
                .fallback
                .iter()
                .flat_map(|it| soon.behind(it, &roster)),
        );
        let mut warnings: Vec<_> = paged.iter().filter_map(|it| self.quiet(it)).collect();
        for (grade, plan) in plans {
            for (number, step) in (1..).zip(&plan.steps) {
                let people = step.page.iter().flat_map(|it| soon.behind(it, &roster));
                let late = people.filter_map(|it| self.late(&it, *grade, (number, step)));
                warnings.extend(late);
            }
        }
        if let Some(proven) = proven {
            warnings.extend(self.unproven(soon, proven));
        }
        let mut seen = Vec::new();
        warnings.retain(|it| {
            let is_new = !seen.contains(it);
            seen.extend(is_new.then(|| it.clone()));
            is_new
        });
        warnings
    }

    /// What keeps pages from waking one person, who is on call from a time on, at most 100 things.
    #[must_use]
    pub fn waking_warnings_of(
        &self,
        person: &PersonId,
        (rotation, from): (&str, Timestamp),
        plans: &[(Grade, Plan)],
        proven: Proven<'_>,
    ) -> Vec<WakingWarning> {
        let own = BTreeMap::from([(person.clone(), from)]);
        let soon = OnCallSoon(BTreeMap::from([(rotation.to_owned(), own)]));
        let mut warnings = self.all_waking_warnings(&soon, plans, Some(proven));
        warnings.retain(|it| it.person() == person);
        warnings.truncate(WARNINGS_MAX);
        warnings
    }

    fn quiet(&self, id: &PersonId) -> Option<WakingWarning> {
        let person = self.person(id).filter(|it| !it.contacts.is_empty())?;
        let is_quiet = |grade: &Grade| self.loud_after_ms(&person, *grade).is_none();
        let grades: Vec<_> = NIGHT_GRADES.into_iter().filter(is_quiet).collect();
        (!grades.is_empty()).then(|| WakingWarning::Quiet {
            person: id.clone(),
            grades,
        })
    }

    fn late(
        &self,
        id: &PersonId,
        grade: Grade,
        (number, step): (usize, &Step),
    ) -> Option<WakingWarning> {
        let person = self.person(id)?;
        let loud_after_ms = self.loud_after_ms(&person, grade)?;
        (loud_after_ms >= step.wait_ms).then(|| WakingWarning::Late {
            person: id.clone(),
            grade,
            step: number,
            wait_ms: step.wait_ms,
            loud_after_ms,
        })
    }

    /// Whoever has loud contacts in a ladder for the night must have proven one of these: that mail
    /// arrives does not say that the phone rings.
    fn unproven(&self, soon: &OnCallSoon, proven: Proven<'_>) -> Vec<WakingWarning> {
        let roster = self.rosters.now();
        let is_proven = |id: &PersonId| {
            let Some(person) = self.person(id) else {
                return true;
            };
            let is_loud = |it: &&Contact| roster.loud.contains(&it.kind);
            if person.contacts.is_empty() {
                return true;
            }
            NIGHT_GRADES.iter().all(|grade| {
                let (contacts, _) = person.climb(*grade, |_| true);
                let has_loud = contacts.iter().any(|it| is_loud(&it));
                let mut counted = contacts.iter().filter(|it| !has_loud || is_loud(it));
                counted.any(|it| proven(id, it))
            })
        };
        let mut warned = BTreeMap::new();
        for (rotation, people) in &soon.0 {
            for (person, from) in people.iter().filter(|it| !is_proven(it.0)) {
                let first = warned.entry(person).or_insert((from, rotation));
                *first = (*first).min((from, rotation));
            }
        }
        let warning = |(person, (from, rotation)): (&PersonId, (&Timestamp, &String))| {
            WakingWarning::Unproven {
                person: person.clone(),
                rotation: rotation.clone(),
                from: *from,
            }
        };
        warned.into_iter().map(warning).collect()
    }

    /// When a page comes to the person's first loud rung if nobody acknowledges, in milliseconds;
    /// `None`: never.
    fn loud_after_ms(&self, person: &Person, grade: Grade) -> Option<u64> {
        let roster = self.rosters.now();
        let (contacts, rungs) = person.climb(grade, |_| true);
        let mut contacts = contacts.iter();
        let mut after_ms = 0;
        for rung in rungs {
            let mut of_rung = contacts.by_ref().take(rung.contacts as usize);
            if of_rung.any(|it| roster.loud.contains(&it.kind)) {
                return Some(after_ms);
            }
            after_ms += rung.wait_ms;
        }
        None
    }
}

/// Whom plans page alone, although a later step names more targets: of each person the first such
/// step. Whoever is in a rotation counts, whenever their turn is. A step that names again what the
/// steps before it name is to page the same people again.
fn alone(roster: &Roster, plans: &[(Grade, Plan)]) -> Vec<WakingWarning> {
    let behind = |target: &PageTarget| match target {
        PageTarget::Person(id) => vec![id.clone()],
        PageTarget::Team(team) => roster.members(team),
        PageTarget::OnCall(name) => roster.rotation(name).map_or(Vec::new(), Rotation::people),
    };
    let mut warned: BTreeMap<PersonId, WakingWarning> = BTreeMap::new();
    for (grade, plan) in plans {
        let targets = plan.steps.iter().flat_map(|it| &it.page);
        // The fallback is paged when nobody can be reached, and not for somebody who sleeps.
        let people: BTreeSet<_> = targets.flat_map(behind).collect();
        let mut people = people.into_iter();
        let (Some(person), None) = (people.next(), people.next()) else {
            continue;
        };
        let mut named: BTreeSet<PageTarget> = BTreeSet::new();
        let names_more = |step: &Step| {
            let before = named.len();
            named.extend(step.page.iter().cloned());
            0 < before && before < named.len()
        };
        if let Some(place) = plan.steps.iter().position(names_more) {
            let warning = WakingWarning::Alone {
                person: person.clone(),
                grade: *grade,
                step: place + 1,
            };
            warned.entry(person).or_insert(warning);
        }
    }
    warned.into_values().collect()
}

impl WakingWarning {
    /// Whose pages it is about.
    #[must_use]
    pub fn person(&self) -> &PersonId {
        match self {
            Self::Quiet { person, .. }
            | Self::Late { person, .. }
            | Self::Alone { person, .. }
            | Self::Unproven { person, .. } => person,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::Quiet { person, .. } => format!(
                "give {person} a contact that wakes them, such as ntfy, and name it in their \
                 `notify`; kinds that make a sound are listed in [escalation] loud"
            ),
            Self::Late { person, .. } => format!(
                "let the step of the escalation policy wait longer, or put a loud contact \
                 earlier in `notify` of {person}"
            ),
            Self::Alone { person, .. } => format!(
                "add somebody to a team that the step pages, by `teams` of [people.ID], or name \
                 them in the escalation policy, so that they are paged if {person} does not answer"
            ),
            Self::Unproven { person, .. } => {
                format!("run `tocsin page test {person}` and press the button that arrives")
            }
        }
    }
}

impl WakingWarning {
    /// What it says, with times in the person's zone, and the remedy.
    #[must_use]
    pub fn told(&self, roster: &Roster) -> (String, String) {
        let zone = roster.zone(self.person());
        (self.text(|at| in_zone(zone, at)), self.remedy())
    }

    /// What it says; times are written by `shown`.
    #[must_use]
    pub fn text(&self, shown: impl Fn(Timestamp) -> String) -> String {
        match self {
            Self::Quiet { person, grades } => {
                let grades: Vec<_> = grades.iter().map(|it| it.as_str()).collect();
                let grades = grades.join(" and ");
                format!("no rung of the ladder of {person} for {grades} incidents is loud")
            }
            Self::Late {
                person,
                grade,
                step,
                wait_ms,
                loud_after_ms,
            } => {
                let [wait, loud] = [*wait_ms, *loud_after_ms].map(span_in_words);
                format!(
                    "step {step} of the plan for {grade} incidents ends after {wait}, before the \
                     first loud rung of {person} at {loud}"
                )
            }
            Self::Alone {
                person,
                grade,
                step,
            } => format!(
                "step {step} of the plan for {grade} incidents pages nobody who was not paged \
                 before: only {person}"
            ),
            Self::Unproven {
                person,
                rotation,
                from,
            } => {
                let from = shown(*from);
                format!(
                    "{person} is on call for {rotation} from {from}, and no contact that would \
                     wake them is proven"
                )
            }
        }
    }
}
