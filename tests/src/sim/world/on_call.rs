//! People change who is on call, and their calendars say when they are away.

use tocsin::people::{
    Absence, Absences, MadeOverride, NewOverride, OverrideRefusal, Roster, Rotation,
};
use tocsin::runtime::{AbsenceRow, Maker, OverrideError, decode_row};
use tocsin_core::time::{HOUR_MS, MINUTE_MS};
use tocsin_core::{Actor, PersonId, Timestamp};
use tocsin_store::{Store, Table};

use super::World;
use super::asked::{Asked, Then};
use crate::sim::cast::{self, NAMES, ROTATIONS};
use crate::sim::check::text;
use crate::sim::on_call::Change;

/// Within which time a swap looks for two shifts, and how long a calendar counts, in milliseconds:
/// three days.
const SHIFTS_WITHIN_MS: u64 = 72 * HOUR_MS;

/// How many of 100 changes are those of calendars.
const CALENDARS_OF_100: u64 = 40;

impl World {
    /// Somebody overrides, takes, swaps or cancels, or their calendar says when they are away;
    /// `None` if that is refused.
    pub(super) fn change_on_call(&mut self, place: usize) -> Option<Asked> {
        if self.rng.chance(CALENDARS_OF_100) {
            return self.calendar_read(place);
        }
        self.words += 1;
        let (rotation, _) = self.rng.pick(&ROTATIONS);
        let who = *self.rng.pick(&NAMES);
        let from = self.now.plus_ms(MINUTE_MS * self.rng.below(20));
        let lasts = MINUTE_MS * (1 + self.rng.below(90));
        let verb = self.rng.below(10);
        let over = |from, until, person: &PersonId| NewOverride {
            rotation: (*rotation).to_owned(),
            person: person.clone(),
            from,
            until,
            reason: String::new(),
        };
        let now = self.now;
        let wanted = |roster: &Roster| -> Result<Vec<NewOverride>, OverrideRefusal> {
            let Some(schedule) = roster.rotations.get(*rotation) else {
                return Ok(Vec::new());
            };
            Ok(match verb {
                0..4 => vec![over(from, from.plus_ms(lasts), &who.into())],
                4..6 => vec![over(now, now.plus_ms(lasts), &who.into())],
                6 => {
                    let end = schedule.next_handover(now);
                    vec![over(now, end.unwrap_or(now.plus_ms(lasts)), &who.into())]
                }
                _ => swapped(schedule, now, over),
            })
        };
        let on_call = &self.nodes[place].desk.on_call;
        if verb == 9 {
            let kept = on_call.overrides().ok()?;
            let live: Vec<_> = kept.iter().filter(|it| it.is_live(now)).collect();
            let first = live.first()?;
            let request = on_call.canceling(&first.id, now).ok()?;
            let then = Then::OnCall(Change::Canceled(first.id.clone(), now));
            return Some(Asked { request, then });
        }
        let maker = Maker {
            by: &Actor::Person(who.into()),
            now,
            request: &format!("override {}", self.words),
        };
        match on_call.making(maker, wanted) {
            Ok((_, made)) if made.is_empty() => None,
            Ok((request, made)) => Some(Asked {
                request,
                then: Then::OnCall(Change::Made(made)),
            }),
            Err(OverrideError::Refused(_) | OverrideError::Engine(_)) => None,
        }
    }

    /// What somebody's calendar says is read: that they are away for a while, or are not.
    fn calendar_read(&mut self, place: usize) -> Option<Asked> {
        let who = *self.rng.pick(&NAMES);
        let count = self.rng.below(3);
        let absences = (0..count).map(|_| {
            let from = self.now.plus_ms(MINUTE_MS * self.rng.below(10));
            let until = from.plus_ms(MINUTE_MS * (1 + self.rng.below(120)));
            Absence { from, until }
        });
        let absences = Absences::new(absences.collect());
        let row = AbsenceRow {
            person: who.into(),
            place: cast::calendar_of(&cast::config().ok()?, who),
            read_at: self.now,
            absences: absences.clone(),
        };
        let ends_at = self.now.plus_ms(SHIFTS_WITHIN_MS);
        let request = self.nodes[place].desk.on_call.keeping(&row, ends_at);
        Some(Asked {
            request: request.ok()?,
            then: Then::OnCall(Change::Away(who.into(), absences)),
        })
    }

    /// Finds out which of the changes in doubt were made.
    ///
    /// # Errors
    /// When one was made in part.
    pub(super) fn settle_doubts(&mut self) -> Result<(), String> {
        for change in std::mem::take(&mut self.doubts) {
            if self.is_made(&change)? {
                self.model.lock().apply(change);
            }
        }
        Ok(())
    }

    fn is_made(&self, change: &Change) -> Result<bool, String> {
        let over = |id: &str| -> Result<Option<MadeOverride>, String> {
            let row = self.store.row(Table::Override, id).map_err(text)?;
            let row = row.map(|it| decode_row("an override", &it.value));
            row.transpose().map_err(text)
        };
        match change {
            Change::Made(made) => {
                let found = made.iter().map(|it| over(&it.id));
                let found: Vec<_> = found.collect::<Result<_, _>>()?;
                let count = found.iter().flatten().count();
                if count != 0 && count != made.len() {
                    return Err(format!("{count} of the overrides {made:?} were made"));
                }
                Ok(count > 0)
            }
            Change::Canceled(id, at) => Ok(over(id)?.is_none_or(|it| it.until <= *at)),
            Change::Away(person, absences) => {
                let row = self.store.row(Table::Absence, person.as_str());
                let row = row.map_err(text)?;
                let row = row.map(|it| decode_row::<AbsenceRow>("an absence", &it.value));
                let row = row.transpose().map_err(text)?;
                Ok(row.is_some_and(|it| it.absences == *absences))
            }
        }
    }
}

/// The people of the current shift and the next change places.
fn swapped(
    rotation: &Rotation,
    now: Timestamp,
    over: impl Fn(Timestamp, Timestamp, &PersonId) -> NewOverride,
) -> Vec<NewOverride> {
    let shifts = rotation.schedule(now, now.plus_ms(SHIFTS_WITHIN_MS));
    let mut shifts = shifts
        .iter()
        .filter_map(|it| Some((it, it.people.first()?)));
    match (shifts.next(), shifts.next()) {
        (Some((one, first)), Some((other, second))) => vec![
            over(one.from, one.until, second),
            over(other.from, other.until, first),
        ],
        _ => Vec::new(),
    }
}
