//! A layer of a rotation: people who take turns.

use chrono::{Datelike, Days, NaiveDate};
use chrono_tz::Tz;
use tocsin_core::{PersonId, Timestamp};
use tocsin_policy::calendar::Restriction;

use super::handover::{Every, Handover};
use crate::time::{first_instant, local_time};

/// People who take turns, and when. Turns follow the calendar: hours that a layer does not cover
/// are still part of a turn, so that they do not shift later turns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Who takes turns, in this order.
    pub people: Vec<PersonId>,
    /// When a turn ends.
    pub handover: Handover,
    /// How long a turn is.
    pub every: Every,
    /// The first turn begins at the first handover on or after this local date; before it the
    /// layer covers nothing.
    pub start: NaiveDate,
    /// Which days and hours it covers; `None`: all.
    pub restrict: Option<Restriction>,
}

impl Layer {
    /// Who is on call at `at`; `None` before the first turn and outside the layer's hours.
    #[must_use]
    pub fn on_call(&self, zone: Tz, at: Timestamp) -> Option<&PersonId> {
        let turn = usize::try_from(self.turn_on_call(zone, at)?).ok()?;
        self.people.get(turn.checked_rem(self.people.len())?)
    }

    /// The number of the turn that the layer has at `at`, from 0; `None` before the first one and
    /// outside the layer's hours.
    pub(super) fn turn_on_call(&self, zone: Tz, at: Timestamp) -> Option<u64> {
        let restrict = self.restrict.as_ref();
        let covers = restrict.is_none_or(|restrict| restrict.covers(zone, at));
        covers.then(|| self.turn(zone, at)).flatten()
    }

    /// Whoever has the turn at `at`, and after them the others in the order of their turns, each
    /// once; empty when nobody is on call.
    pub(super) fn in_turn(&self, zone: Tz, at: Timestamp) -> impl Iterator<Item = &PersonId> {
        let first = self.on_call(zone, at);
        let turn = self.turn(zone, at).and_then(|it| usize::try_from(it).ok());
        let first = first
            .and(turn)
            .and_then(|it| it.checked_rem(self.people.len()));
        let (before, from) = self.people.split_at(first.unwrap_or_default());
        let count = first.map_or(0, |_| self.people.len());
        from.iter().chain(before).take(count)
    }

    /// The next instant after `at` at which [`on_call`](Self::on_call) may change.
    pub(super) fn next_edge(&self, zone: Tz, at: Timestamp) -> Option<Timestamp> {
        let restrict = self
            .restrict
            .as_ref()
            .and_then(|restrict| restrict.next_edge(zone, at));
        let mut next = self.turn(zone, at).map_or(0, |turn| turn + 1);
        // Two handovers may happen at one instant, after a skipped day.
        let mut handover = self.begins(zone, next);
        while handover.is_some_and(|edge| edge <= at) {
            next += 1;
            handover = self.begins(zone, next);
        }
        [restrict, handover].into_iter().flatten().min()
    }

    /// The number of the turn at `at`, from 0.
    fn turn(&self, zone: Tz, at: Timestamp) -> Option<u64> {
        let days = local_time(zone, at)
            .date()
            .signed_duration_since(self.first_date()?)
            .num_days();
        // The local date may be a day ahead of the turn, and a day can be skipped, so start one
        // turn too late and step back.
        let mut turn = days.max(0).unsigned_abs() / u64::from(self.every.days().max(1)) + 1;
        while self.begins(zone, turn)? > at {
            turn = turn.checked_sub(1)?;
        }
        Some(turn)
    }

    fn begins(&self, zone: Tz, turn: u64) -> Option<Timestamp> {
        let days = turn.checked_mul(u64::from(self.every.days().max(1)))?;
        let date = self.first_date()?.checked_add_days(Days::new(days))?;
        Some(first_instant(zone, date.and_time(self.handover.time)))
    }

    /// The date of the first handover.
    fn first_date(&self) -> Option<NaiveDate> {
        let ahead = self.handover.weekday.map_or(0, |weekday| {
            let (wanted, start) = (weekday, self.start.weekday());
            (7 + wanted.num_days_from_monday() - start.num_days_from_monday()) % 7
        });
        self.start.checked_add_days(Days::new(u64::from(ahead)))
    }
}
