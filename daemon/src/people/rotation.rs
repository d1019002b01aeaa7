//! A rotation: layers and overrides.

use chrono_tz::Tz;
use tocsin_core::time::HOUR_MS;
use tocsin_core::{PersonId, Timestamp};

use super::layer::Layer;

/// How far [`Rotation::next_handover`] looks ahead, in milliseconds: 400 days.
pub const HANDOVER_HORIZON_MS: u64 = 400 * 24 * HOUR_MS;
/// How far [`Rotation::began`] looks back, in milliseconds: no further than it must.
const LOOKS_BACK_MS: [u64; 3] = [8 * 24 * HOUR_MS, 64 * 24 * HOUR_MS, HANDOVER_HORIZON_MS];
/// Most shifts of one [`Rotation::schedule`].
pub const SHIFTS_MAX: usize = 4_096;
/// Most handovers, window edges and overrides that one call examines.
const EDGES_MAX: usize = 4 * SHIFTS_MAX;

/// Who is on call when. The first layer that covers an instant decides; an override takes
/// precedence over all layers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// The time zone of the handovers.
    pub zone: Tz,
    /// In order of precedence: the first that covers an instant decides.
    pub layers: Vec<Layer>,
    /// Exceptions; of two that overlap, the later in the list decides.
    pub overrides: Vec<Override>,
}

/// Another person is on call for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    pub person: PersonId,
    pub from: Timestamp,
    /// The end, exclusive.
    pub until: Timestamp,
    /// The ID of one that people made; `None` for those of the configuration.
    pub id: Option<String>,
}

/// A time span with the same people on call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shift {
    /// Who is on call; empty when nobody is.
    pub people: Vec<PersonId>,
    pub from: Timestamp,
    /// The end, exclusive.
    pub until: Timestamp,
}

impl Rotation {
    /// Who is on call at `at`; empty when no layer covers it.
    #[must_use]
    pub fn on_call(&self, at: Timestamp) -> Vec<PersonId> {
        self.override_at(at)
            .map(|over| &over.person)
            .or_else(|| {
                self.layers
                    .iter()
                    .find_map(|layer| layer.on_call(self.zone, at))
            })
            .cloned()
            .into_iter()
            .collect()
    }

    /// The override that decides at `at`.
    #[must_use]
    pub fn override_at(&self, at: Timestamp) -> Option<&Override> {
        let mut newest_first = self.overrides.iter().rev();
        newest_first.find(|over| over.from <= at && at < over.until)
    }

    /// Who may be paged at `at`, each once: first whoever is on call, then who is in the next
    /// layers that cover the instant, then the others of these layers in the order of their turns.
    /// Empty when nobody is on call.
    #[must_use]
    pub fn candidates(&self, at: Timestamp) -> Vec<PersonId> {
        let scheduled = self
            .layers
            .iter()
            .filter_map(|it| it.on_call(self.zone, at));
        let others = self.layers.iter().flat_map(|it| it.in_turn(self.zone, at));
        let over = self.override_at(at).map(|over| &over.person);
        let mut people: Vec<PersonId> = Vec::new();
        for person in over.into_iter().chain(scheduled).chain(others) {
            if !people.contains(person) {
                people.push(person.clone());
            }
        }
        people
    }

    /// Everybody who is on call at some time: by a layer, or by an override.
    #[must_use]
    pub fn people(&self) -> Vec<PersonId> {
        let of_layers = self.layers.iter().flat_map(|it| &it.people);
        let of_overrides = self.overrides.iter().map(|it| &it.person);
        of_layers.chain(of_overrides).cloned().collect()
    }

    /// The next instant after `at` at which somebody else is on call; `None` when nothing changes
    /// within [`HANDOVER_HORIZON_MS`].
    #[must_use]
    pub fn next_handover(&self, at: Timestamp) -> Option<Timestamp> {
        let now = self.on_call(at);
        self.edges(at, at.plus_ms(HANDOVER_HORIZON_MS))
            .find(|edge| self.on_call(*edge) != now)
    }

    /// When the shift at `at` began; `None` if that is further back than [`HANDOVER_HORIZON_MS`].
    #[must_use]
    pub fn began(&self, at: Timestamp) -> Option<Timestamp> {
        let mut looks_back = LOOKS_BACK_MS.into_iter();
        looks_back.find_map(|ms| {
            let shifts = self.schedule(at.minus_ms(ms), at.plus_ms(1));
            let last = shifts.last()?;
            (shifts.len() > 1).then_some(last.from)
        })
    }

    /// The shifts from `from` until `until`, without gaps or overlaps: hours in which nobody is on
    /// call are shifts without people. Stops after [`SHIFTS_MAX`] shifts.
    #[must_use]
    pub fn schedule(&self, from: Timestamp, until: Timestamp) -> Vec<Shift> {
        self.cut((from, until), |at| self.on_call(at))
    }

    /// As [`schedule`](Self::schedule), but a shift also ends with the turn or the override that it
    /// is of, if the same person goes on.
    #[must_use]
    pub fn turns(&self, from: Timestamp, until: Timestamp) -> Vec<Shift> {
        let turn_at = |at| {
            let turn_of = |layer: &Layer| layer.turn_on_call(self.zone, at);
            let mut layers = self.layers.iter().map(turn_of).enumerate();
            layers.find(|(_, turn)| turn.is_some())
        };
        self.cut((from, until), |at| (self.override_at(at), turn_at(at)))
    }

    /// The shifts between two times, cut where what `told_apart_by` says changes.
    fn cut<T: PartialEq>(
        &self,
        (from, until): (Timestamp, Timestamp),
        told_apart_by: impl Fn(Timestamp) -> T,
    ) -> Vec<Shift> {
        if from >= until {
            return Vec::new();
        }
        let shift = |from| Shift {
            people: self.on_call(from),
            from,
            until,
        };
        let mut shifts = vec![shift(from)];
        let mut before = told_apart_by(from);
        for edge in self.edges(from, until) {
            let after = told_apart_by(edge);
            let Some(last) = shifts.last_mut().filter(|_| after != before) else {
                continue;
            };
            last.until = edge;
            if shifts.len() == SHIFTS_MAX {
                break;
            }
            shifts.push(shift(edge));
            before = after;
        }
        shifts
    }

    /// The instants after `from` and before `until` at which who is on call may change, in order.
    pub(super) fn edges(
        &self,
        from: Timestamp,
        until: Timestamp,
    ) -> impl Iterator<Item = Timestamp> {
        std::iter::successors(self.next_edge(from), |edge| self.next_edge(*edge))
            .take_while(move |edge| *edge < until)
            .take(EDGES_MAX)
    }

    fn next_edge(&self, at: Timestamp) -> Option<Timestamp> {
        let layers = self
            .layers
            .iter()
            .filter_map(|layer| layer.next_edge(self.zone, at));
        let overrides = self
            .overrides
            .iter()
            .flat_map(|over| [over.from, over.until]);
        layers.chain(overrides.filter(|edge| *edge > at)).min()
    }
}
