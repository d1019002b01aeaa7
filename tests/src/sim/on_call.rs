//! Who is on call in a simulated run: the daemon's answer at every step that pages, compared with a
//! model that shares no code with it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tocsin::people::{Absences, MadeOverride};
use tocsin::runtime::{OnCall, Paged};
use tocsin_core::command::Responders;
use tocsin_core::time::{HOUR_MS, MINUTE_MS, SECOND_MS};
use tocsin_core::{PageTarget, PersonId, Step, Timestamp};

use super::cast::{self, ROTATIONS, Turns};

/// A page is recorded at most this long before or after it was looked up, in milliseconds: the
/// clock may be set back between the two.
const SET_BACK_MS: u64 = 20 * SECOND_MS;
const DAY_MS: u64 = 24 * HOUR_MS;

/// A change of who is on call, once it is confirmed.
#[derive(Clone, Debug)]
pub(super) enum Change {
    Made(Vec<MadeOverride>),
    /// The override with this ID is canceled at this time.
    Canceled(String, Timestamp),
    /// A person's calendar says this.
    Away(PersonId, Absences),
}

/// What is confirmed of who is on call, and what it was asked for.
#[derive(Debug, Default)]
pub(super) struct Model {
    /// In the order in which they were made.
    overrides: Vec<MadeOverride>,
    absences: BTreeMap<PersonId, Absences>,
    /// When people were to be paged for these targets.
    answered: BTreeMap<(String, PersonId), Vec<Timestamp>>,
    broken: Option<String>,
}

/// The model, shared by the engines of a run.
#[derive(Clone, Debug, Default)]
pub(super) struct SharedModel(Arc<Mutex<Model>>);

/// Where an engine looks up who is on call.
#[derive(Clone)]
pub(super) struct Desk {
    pub on_call: Arc<OnCall>,
    pub model: SharedModel,
}

impl Desk {
    /// The people whom a step pages, as the daemon chooses them.
    pub(super) fn of_step(&self, step: Option<&Step>, now: Timestamp) -> Responders {
        let Some(step) = step else {
            return Responders::default();
        };
        let choice = self.on_call.roster().choose(step, now, &cast::is_reachable);
        let people = choice.people.iter().map(|it| it.id.clone()).collect();
        self.model.lock().compare(&step.page, now, people);
        Responders {
            people: choice.people,
            note: None,
        }
    }

    /// The people whom a timer's command pages.
    pub(super) fn looked_up(&self, paged: Paged<'_>, now: Timestamp) -> Responders {
        match paged {
            Paged::Step(step) => self.of_step(Some(step), now),
            Paged::Fallback => Responders {
                people: self
                    .on_call
                    .roster()
                    .choose_fallback(now, &cast::is_reachable)
                    .people,
                note: None,
            },
        }
    }
}

impl SharedModel {
    pub(super) fn lock(&self) -> MutexGuard<'_, Model> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Model {
    /// Records a confirmed change.
    pub(super) fn apply(&mut self, change: Change) {
        match change {
            Change::Made(made) => self.overrides.extend(made),
            Change::Canceled(id, at) => {
                let canceled = self.overrides.iter_mut().filter(|it| it.id == id);
                canceled.for_each(|it| it.until = it.until.min(at.max(it.from)));
            }
            Change::Away(person, absences) => drop(self.absences.insert(person, absences)),
        }
    }

    /// The first step that paged others than whom it had to.
    ///
    /// # Errors
    /// Which one, and who it had to be.
    pub(super) fn is_followed(&self) -> Result<(), String> {
        self.broken.clone().map_or(Ok(()), Err)
    }

    /// Whether this person was to be paged for these targets, at about this time.
    pub(super) fn has_answered(
        &self,
        targets: &[PageTarget],
        person: &PersonId,
        at: Timestamp,
    ) -> bool {
        let times = self.answered.get(&(named(targets), person.clone()));
        let is_near = |it: &Timestamp| it.since(at).max(at.since(*it)) <= SET_BACK_MS;
        times.is_some_and(|times| times.iter().any(is_near))
    }

    /// Compares whom the daemon pages with whom it has to.
    fn compare(&mut self, targets: &[PageTarget], at: Timestamp, paged: Vec<PersonId>) {
        let expected = self.expected(targets, at);
        if paged != expected {
            let why = format!(
                "at {at}, {} pages {paged:?}, and {expected:?} should be paged",
                named(targets)
            );
            self.broken.get_or_insert(why);
        }
        for person in expected {
            let times = self.answered.entry((named(targets), person)).or_default();
            if times.last() != Some(&at) {
                times.push(at);
            }
        }
    }

    /// Whom these targets page: the first of each who can be reached and is not away, else those of
    /// the fallback, else whoever can be reached, else anybody.
    fn expected(&self, targets: &[PageTarget], at: Timestamp) -> Vec<PersonId> {
        let fallback = [PageTarget::Person(cast::FALLBACK.into())];
        let is_reached = |id: &PersonId| cast::is_reachable(&cast::person(id.as_str()));
        let is_free = |id: &PersonId| is_reached(id) && !self.is_away(id, at);
        let first_of = |targets: &[PageTarget], fits: &dyn Fn(&PersonId) -> bool| {
            let mut people: Vec<PersonId> = Vec::new();
            for target in targets {
                let first = self.candidates(target, at).into_iter().find(|it| fits(it));
                people.extend(first.filter(|it| !people.contains(it)));
            }
            people
        };
        let choices = [
            first_of(targets, &is_free),
            first_of(&fallback, &is_free),
            first_of(targets, &is_reached),
            first_of(&fallback, &is_reached),
        ];
        let first = choices.into_iter().find(|it| !it.is_empty());
        first.unwrap_or_else(|| first_of(targets, &|_| true))
    }

    fn is_away(&self, person: &PersonId, at: Timestamp) -> bool {
        let mut absences = self
            .absences
            .get(person)
            .into_iter()
            .flat_map(Absences::iter);
        absences.any(|it| it.from <= at && at < it.until)
    }

    /// Who may be paged for a target, the most wanted first: the latest override that covers the
    /// moment, then who has the turn of each layer, then the others in turn.
    fn candidates(&self, target: &PageTarget, at: Timestamp) -> Vec<PersonId> {
        let name = match target {
            PageTarget::Person(id) => return vec![id.clone()],
            PageTarget::OnCall(name) => name,
            PageTarget::Team(_) => return Vec::new(),
        };
        let of_it = |it: &&MadeOverride| it.rotation == *name;
        let covers = |it: &&MadeOverride| it.from <= at && at < it.until;
        let mut latest = self.overrides.iter().rev().filter(of_it);
        let over = latest.find(covers).map(|it| it.person.clone());
        let layers = ROTATIONS.iter().filter(|(it, _)| it == name);
        let orders: Vec<Vec<PersonId>> = layers
            .flat_map(|(_, layers)| layers.iter())
            .filter_map(|turns| order(turns, at))
            .collect();
        let firsts = orders.iter().filter_map(|it| it.first());
        let all = firsts.chain(orders.iter().flatten()).cloned();
        over.into_iter().chain(all).collect()
    }
}

/// Who has the turn of a layer, and the others after them; `None` outside its hours. Turns are days
/// that begin at the layer's minute, counted since 1970.
fn order(turns: &Turns, at: Timestamp) -> Option<Vec<PersonId>> {
    let since = at.since(Timestamp(0));
    let minute = since % DAY_MS / MINUTE_MS;
    if turns
        .hours
        .is_some_and(|(from, until)| minute < from || until <= minute)
    {
        return None;
    }
    let first = cast::FIRST_DAY * DAY_MS + turns.minute * MINUTE_MS;
    let turn = since.checked_sub(first)? / DAY_MS;
    let count = turns.people.len();
    let first = usize::try_from(turn).ok()? % count;
    let order = (0..count).map(|it| turns.people[(first + it) % count].into());
    Some(order.collect())
}

fn named(targets: &[PageTarget]) -> String {
    let names: Vec<String> = targets.iter().map(ToString::to_string).collect();
    names.join(", ")
}
