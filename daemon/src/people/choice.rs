//! Chooses whom a step pages: whoever is on call, unless they are out of office or nothing serves
//! their contacts and somebody else can be paged instead.

use tocsin_core::limits::STEP_PEOPLE_MAX;
use tocsin_core::{PageTarget, Person, PersonId, Step, Timestamp};

use super::roster::Roster;
use crate::time::in_zone;

/// Most people that one note names; the others are counted.
const NAMED_MAX: usize = 3;

/// Why somebody who would be paged is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hindrance {
    /// Out of office until then, by their calendar.
    Absent(Timestamp),
    /// Nothing serves any of their contacts.
    Unreachable,
}

/// Whom a step pages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// Without duplicates.
    pub people: Vec<Person>,
    /// Differences from the plan, one line each, for the incident's log.
    pub notes: Vec<String>,
}

/// Whether a page can reach a person.
pub type Reach<'a> = &'a dyn Fn(&Person) -> bool;

impl Roster {
    /// The people whom `step` pages at `at`. Of a rotation, the first that is neither out of
    /// office nor unreachable, in the order of
    /// [`candidates`](super::rotation::Rotation::candidates); of a team, all such members. If the
    /// step has nobody such, `[escalation] fallback` is paged instead, and if that has nobody
    /// either, whoever can be reached although they are out of office: a person on vacation is
    /// better than nobody. Who is paged for whom, and why, is noted.
    #[must_use]
    pub fn choose(&self, step: &Step, at: Timestamp, reach: Reach<'_>) -> Choice {
        let mut notes = Vec::new();
        let candidates = |target| self.candidates_of(target, at, reach);
        let of_step: Vec<_> = step.page.iter().map(candidates).collect();
        for candidates in &of_step {
            notes.extend(candidates.note());
        }
        let people = united(&of_step, Candidates::available);
        if !people.is_empty() || step.page.is_empty() {
            return Choice { people, notes };
        }
        let of_fallback: Vec<_> = self.fallback.iter().map(candidates).collect();
        let people = united(&of_fallback, Candidates::available);
        if !people.is_empty() {
            let names = names(&people);
            notes.push(format!("the step pages the fallback instead: {names}"));
            return Choice { people, notes };
        }
        notes.extend(of_fallback.iter().filter_map(Candidates::note));
        for (candidates, instead) in [(&of_step, ""), (&of_fallback, " the fallback instead:")] {
            let people = united(candidates, Candidates::reachable);
            if !people.is_empty() {
                let names = names(&people);
                notes.push(format!(
                    "nobody else can be paged, so the step pages{instead} {names}"
                ));
                return Choice { people, notes };
            }
        }
        // Their pages are exhausted at once, which the log and the health checks show.
        let people = united(&of_step, Candidates::scheduled);
        notes.push(match people.is_empty() {
            true => "the step pages nobody; set [escalation] fallback".to_owned(),
            false => "nobody can be reached; load a plugin that serves their contacts, or add \
                      [mail]"
                .to_owned(),
        });
        Choice { people, notes }
    }

    /// The people of `[escalation] fallback` who are paged when nobody of a step can be reached:
    /// those who are neither out of office nor unreachable, else whoever can be reached.
    #[must_use]
    pub fn choose_fallback(&self, at: Timestamp, reach: Reach<'_>) -> Choice {
        let candidates = |target| self.candidates_of(target, at, reach);
        let of_fallback: Vec<_> = self.fallback.iter().map(candidates).collect();
        let some = [
            Candidates::available,
            Candidates::reachable,
            Candidates::scheduled,
        ];
        let mut people = some.into_iter().map(|some| united(&of_fallback, some));
        Choice {
            people: people.find(|it| !it.is_empty()).unwrap_or_default(),
            notes: of_fallback.iter().filter_map(Candidates::note).collect(),
        }
    }

    /// Why `person` should not be paged at `at`.
    #[must_use]
    pub fn hindrance(&self, person: &Person, at: Timestamp, reach: Reach<'_>) -> Option<Hindrance> {
        if !reach(person) {
            return Some(Hindrance::Unreachable);
        }
        let absences = self.absences.get(&person.id)?;
        absences.until(at).map(Hindrance::Absent)
    }

    fn candidates_of<'a>(
        &'a self,
        target: &'a PageTarget,
        at: Timestamp,
        reach: Reach<'_>,
    ) -> Candidates<'a> {
        let (ids, is_one) = match target {
            PageTarget::Person(id) => (vec![id.clone()], true),
            PageTarget::OnCall(name) => {
                let rotation = self.rotation(name);
                (
                    rotation.map(|it| it.candidates(at)).unwrap_or_default(),
                    true,
                )
            }
            PageTarget::Team(team) => (self.members(team), false),
        };
        let people = ids.iter().filter_map(|id| self.people.get(id));
        let people: Vec<_> = people
            .map(|person| (person, self.hindrance(person, at, reach)))
            .collect();
        let why = people.is_empty().then(|| self.why(target));
        Candidates {
            roster: self,
            target,
            people,
            is_one,
            why,
        }
    }
}

/// Who may be paged for a target, the most wanted first.
struct Candidates<'a> {
    roster: &'a Roster,
    target: &'a PageTarget,
    people: Vec<(&'a Person, Option<Hindrance>)>,
    /// Whether one is paged and not all.
    is_one: bool,
    /// Why there are none.
    why: Option<String>,
}

impl<'a> Candidates<'a> {
    fn available(&self) -> Vec<&'a Person> {
        self.paged(Option::is_none)
    }

    fn reachable(&self) -> Vec<&'a Person> {
        self.paged(|it| *it != Some(Hindrance::Unreachable))
    }

    fn scheduled(&self) -> Vec<&'a Person> {
        self.paged(|_| true)
    }

    fn paged(&self, takes: impl Fn(&Option<Hindrance>) -> bool) -> Vec<&'a Person> {
        let most = if self.is_one { 1 } else { STEP_PEOPLE_MAX };
        let taken = self.people.iter().filter(|(_, it)| takes(it));
        taken.take(most).map(|(person, _)| *person).collect()
    }

    /// Who is passed over, and why.
    fn note(&self) -> Option<String> {
        let target = self.target;
        if let Some(why) = &self.why {
            return Some(format!("{target} reaches nobody: {why}"));
        }
        let passed = |it: &&(&Person, Option<Hindrance>)| match self.is_one {
            true => it.1.is_some(),
            false => true,
        };
        // Of one that is paged, those after them are not passed over.
        let before = self.people.iter().take_while(passed);
        let over: Vec<_> = before
            .filter_map(|(person, why)| Some((person, (*why)?)))
            .collect();
        if over.is_empty() {
            return None;
        }
        let each: Vec<String> = over
            .iter()
            .take(NAMED_MAX)
            .map(|(person, why)| self.told(person, *why))
            .collect();
        let mut note = format!("{target} passes over {}", each.join(" and "));
        if let more @ 1.. = over.len().saturating_sub(NAMED_MAX) {
            note.push_str(&format!(" and {more} more"));
        }
        if let (true, Some(paged)) = (self.is_one, self.available().first()) {
            note.push_str(&format!(", and pages {}", paged.id));
        }
        Some(note)
    }

    fn told(&self, person: &Person, why: Hindrance) -> String {
        let id = &person.id;
        match why {
            Hindrance::Absent(until) => {
                let until = in_zone(self.roster.zone(id), until);
                format!("{id}, who is out of office until {until}")
            }
            Hindrance::Unreachable => format!("{id}, {}", unreachable(person)),
        }
    }
}

/// Why nothing reaches a person.
#[must_use]
pub(crate) fn unreachable(person: &Person) -> String {
    let mut kinds: Vec<&str> = person.contacts.iter().map(|it| it.kind.as_str()).collect();
    kinds.dedup();
    match kinds.is_empty() {
        true => "who has no contacts".to_owned(),
        false => format!("whose contacts nothing serves ({})", kinds.join(", ")),
    }
}

fn united<'a>(
    all: &[Candidates<'a>],
    some: impl Fn(&Candidates<'a>) -> Vec<&'a Person>,
) -> Vec<Person> {
    let mut people: Vec<Person> = Vec::new();
    for person in all.iter().flat_map(some) {
        if !people.iter().any(|known| known.id == person.id) {
            people.push(person.clone());
        }
    }
    people.truncate(STEP_PEOPLE_MAX);
    people
}

fn names(people: &[Person]) -> String {
    let names: Vec<&str> = people.iter().map(|it| it.id.as_str()).collect();
    names.join(", ")
}

/// Who of a rotation is paged at an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Paged {
    /// Who is on call.
    pub(super) scheduled: Option<PersonId>,
    /// Why they are not paged if somebody else can be.
    pub(super) hindrance: Option<Hindrance>,
    /// Who is paged by the rotation alone, without the fallback.
    pub(super) paged: Option<PersonId>,
}

impl Roster {
    pub(super) fn paged_of(&self, rotation: &str, at: Timestamp, reach: Reach<'_>) -> Paged {
        let target = PageTarget::OnCall(rotation.to_owned());
        let candidates = self.candidates_of(&target, at, reach);
        let available = candidates.available();
        let paged = match available.is_empty() {
            true => candidates.reachable(),
            false => available,
        };
        let scheduled = candidates.people.first();
        Paged {
            scheduled: scheduled.map(|(person, _)| person.id.clone()),
            hindrance: scheduled.and_then(|(_, why)| *why),
            paged: paged.first().map(|person| person.id.clone()),
        }
    }
}
