//! People, teams and rotations, and who is behind a plan's page targets.

use std::collections::BTreeMap;

use tocsin_core::limits::STEP_PEOPLE_MAX;
use tocsin_core::{PageTarget, Person, PersonId, Plan, TeamId, Timestamp};

use super::rotation::Rotation;

/// The people, teams and rotations of one configuration.
#[derive(Clone, Debug, Default)]
pub struct Roster {
    /// By ID.
    pub people: BTreeMap<PersonId, Person>,
    /// Each team's rotation, if it has one. Each person lists their own teams.
    pub teams: BTreeMap<TeamId, Option<String>>,
    /// The rotations, by name.
    pub rotations: BTreeMap<String, Rotation>,
    /// Who is paged when a step resolves to nobody.
    pub fallback: Vec<PageTarget>,
}

/// The people behind the targets of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reached {
    /// The people behind every target of the plan.
    pub people: BTreeMap<PageTarget, Vec<Person>>,
    /// Differences from the plan, one line each, for the incident's log.
    pub notes: Vec<String>,
}

impl Roster {
    /// The people behind `target` at `at`, at most
    /// [`STEP_PEOPLE_MAX`](tocsin_core::limits::STEP_PEOPLE_MAX). `oncall:NAME` is the rotation
    /// `NAME`, else the rotation of the team `NAME`. Empty when it names nobody.
    #[must_use]
    pub fn resolve(&self, target: &PageTarget, at: Timestamp) -> Vec<Person> {
        let ids = match target {
            PageTarget::Person(id) => vec![id.clone()],
            PageTarget::OnCall(name) => self
                .rotation(name)
                .map(|rotation| rotation.on_call(at))
                .unwrap_or_default(),
            PageTarget::Team(team) => self.members(team),
        };
        let people = ids.iter().filter_map(|id| self.people.get(id));
        people.take(STEP_PEOPLE_MAX).cloned().collect()
    }

    /// The rotation `name`, else the rotation of the team `name`.
    #[must_use]
    pub fn rotation(&self, name: &str) -> Option<&Rotation> {
        self.rotations.get(name).or_else(|| {
            let rotation = self.teams.get(name)?.as_ref()?;
            self.rotations.get(rotation)
        })
    }

    /// The members of `team`.
    #[must_use]
    pub fn members(&self, team: &TeamId) -> Vec<PersonId> {
        let in_team = self
            .people
            .values()
            .filter(|person| person.teams.contains(team));
        in_team.map(|person| person.id.clone()).collect()
    }

    /// The people behind `[escalation] fallback` at `at`, without duplicates.
    #[must_use]
    pub fn fallback(&self, at: Timestamp) -> Vec<Person> {
        let mut people: Vec<Person> = Vec::new();
        for person in self
            .fallback
            .iter()
            .flat_map(|target| self.resolve(target, at))
        {
            if !people.iter().any(|known| known.id == person.id) {
                people.push(person);
            }
        }
        people.truncate(STEP_PEOPLE_MAX);
        people
    }

    /// The people behind every target of `plan` at `at`. A step whose targets all resolve to
    /// nobody pages `[escalation] fallback` instead, with a note: a typo in a policy must not keep
    /// a critical incident from paging.
    #[must_use]
    pub fn resolve_plan(&self, plan: &Plan, at: Timestamp) -> Reached {
        let mut reached = Reached::default();
        for target in plan.steps.iter().flat_map(|step| &step.page) {
            if reached.people.contains_key(target) {
                continue;
            }
            let people = self.resolve(target, at);
            if people.is_empty() {
                reached
                    .notes
                    .push(format!("{target} reaches nobody: {}", self.why(target)));
            }
            reached.people.insert(target.clone(), people);
        }
        for (number, step) in (1..).zip(&plan.steps) {
            let nobody = |target| reached.people.get(target).is_none_or(Vec::is_empty);
            if !step.page.iter().all(nobody) {
                continue;
            }
            let Some(first) = step.page.first() else {
                continue;
            };
            let fallback = self.fallback(at);
            let names: Vec<&str> = fallback.iter().map(|person| person.id.as_str()).collect();
            reached.notes.push(match names.is_empty() {
                true => format!("step {number} pages nobody; set [escalation] fallback"),
                false => format!(
                    "step {number} pages the fallback instead: {}",
                    names.join(", ")
                ),
            });
            reached.people.insert(first.clone(), fallback);
        }
        reached
    }

    /// Why `target` resolves to nobody, with the remedy.
    fn why(&self, target: &PageTarget) -> String {
        match target {
            PageTarget::Person(id) => format!("no such person; add [people.{id}]"),
            PageTarget::OnCall(name) if self.rotation(name).is_none() => {
                format!("no such rotation; add [rotations.{name}]")
            }
            PageTarget::OnCall(_) => {
                "nobody is on call now; add a layer that covers this hour".to_owned()
            }
            PageTarget::Team(team) if !self.teams.contains_key(team) => {
                format!("no such team; add [teams.{team}]")
            }
            PageTarget::Team(team) => {
                format!("the team has no members; add \"{team}\" to a person's teams")
            }
        }
    }
}
