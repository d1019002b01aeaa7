//! People, teams and rotations, and who is behind a target of a plan.

use std::collections::{BTreeMap, BTreeSet};

use chrono_tz::Tz;
use tocsin_core::limits::STEP_PEOPLE_MAX;
use tocsin_core::{PageTarget, Person, PersonId, TeamId, Timestamp};

use super::absence::Absences;
use super::rotation::Rotation;

/// Most people whom a refusal names.
const NAMED_MAX: usize = 20;

/// The people, teams and rotations of one configuration.
#[derive(Clone, Debug, Default)]
pub struct Roster {
    /// By ID.
    pub people: BTreeMap<PersonId, Person>,
    /// The time zone of each person, in which they are shown times; UTC for those without one.
    pub zones: BTreeMap<PersonId, Tz>,
    /// How experienced each person is; 0 for those without.
    pub levels: BTreeMap<PersonId, u32>,
    /// Each team's rotation, if it has one. Each person lists their own teams.
    pub teams: BTreeMap<TeamId, Option<String>>,
    /// The rotations, by name.
    pub rotations: BTreeMap<String, Rotation>,
    /// Who is paged when a step resolves to nobody.
    pub fallback: Vec<PageTarget>,
    /// The kinds of contacts that make a sound at night.
    pub loud: BTreeSet<String>,
    /// When people are out of office, by their calendars.
    pub absences: BTreeMap<PersonId, Absences>,
}

impl Roster {
    /// The people behind `target` at `at`, whether they can be reached or not, at most
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

    /// The zone of every time that this person is shown.
    #[must_use]
    pub fn zone(&self, person: &PersonId) -> Tz {
        self.zones.get(person).copied().unwrap_or(Tz::UTC)
    }

    /// The zone of a rotation's handovers; UTC if there is no such rotation.
    #[must_use]
    pub fn rotation_zone(&self, name: &str) -> Tz {
        self.rotations.get(name).map_or(Tz::UTC, |it| it.zone)
    }

    /// The rotation `name`, else the rotation of the team `name`.
    #[must_use]
    pub fn rotation(&self, name: &str) -> Option<&Rotation> {
        self.rotations.get(name).or_else(|| {
            let rotation = self.teams.get(name)?.as_ref()?;
            self.rotations.get(rotation)
        })
    }

    /// Whether `oncall:NAME` pages a rotation.
    #[must_use]
    pub fn leads_to(&self, name: &str, rotation: &str) -> bool {
        match self.rotations.contains_key(name) {
            true => name == rotation,
            false => self.is_of_team(name, rotation),
        }
    }

    /// Whether a rotation is that of a team.
    #[must_use]
    pub fn is_of_team(&self, team: &str, rotation: &str) -> bool {
        let of_team = self.teams.get(team).and_then(Option::as_ref);
        of_team.is_some_and(|it| it == rotation)
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

    /// The name of a person; their ID if they are not in the configuration.
    #[must_use]
    pub fn name(&self, id: &PersonId) -> String {
        let person = self.people.get(id);
        person.map_or_else(|| id.to_string(), |it| it.name.clone())
    }

    /// Refuses the ID of a team, with those that exist.
    #[must_use]
    pub fn no_team(&self, id: &str) -> String {
        let known: Vec<&str> = self.teams.keys().map(TeamId::as_str).collect();
        match known.is_empty() {
            true => format!("there is no team `{id}`; add [teams.{id}]"),
            false => format!("there is no team `{id}`; there are {}", known.join(", ")),
        }
    }

    /// Refuses the ID of a person, with those that exist.
    #[must_use]
    pub fn no_person(&self, id: &str) -> String {
        let known = self.people.keys().map(PersonId::as_str);
        match named(known) {
            Some(known) => format!("there is no person `{id}`; use one of {known}"),
            None => format!("there is no person `{id}`; add [people.{id}]"),
        }
    }

    /// Why `target` resolves to nobody, with the remedy.
    pub(super) fn why(&self, target: &PageTarget) -> String {
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

/// What to do about a person who does not exist. `known`: the IDs of those who do.
#[must_use]
pub fn person_remedy<'a>(id: &str, known: impl Iterator<Item = &'a str>) -> String {
    match named(known) {
        Some(known) => format!("add [people.{id}], or correct the ID; there are {known}"),
        None => format!("add [people.{id}]"),
    }
}

/// The IDs of those who exist, as far as people read; `None` if there is nobody.
fn named<'a>(known: impl Iterator<Item = &'a str>) -> Option<String> {
    let known: Vec<&str> = known.collect();
    let named = known[..known.len().min(NAMED_MAX)].join(", ");
    let more = match known.len().saturating_sub(NAMED_MAX) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    (!known.is_empty()).then(|| format!("{named}{more}"))
}
