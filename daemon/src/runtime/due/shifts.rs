//! Tells people a day before their shift begins what speaks against it, once for each shift: the
//! row that says so is written with the message. Looks at handovers too.

use std::sync::Arc;

use tocsin_core::limits::SHIFT_WARNINGS_MAX;
use tocsin_core::time::HOUR_MS;
use tocsin_core::trial::ShiftNotice;
use tocsin_core::{Actor, Contact, Grade, Person, PersonId, Plan, Timestamp};

use crate::people::{FORESIGHT_MS, OnCallWarning, Roster, ShiftAhead};
use crate::runtime::due::Due;
use crate::runtime::due::handovers::{HANDOVER_AHEAD_MS, LAST_LOOK_MS};
use crate::runtime::engine::request::NewTests;
use crate::runtime::error::EngineError;
use crate::runtime::state::tables::proof::is_proven;
use crate::time::shown_time;

/// How long before a shift its person is told, in milliseconds: a day.
const AHEAD_MS: u64 = 24 * HOUR_MS;
/// Longest time between two looks, in milliseconds: what speaks against a shift may change.
const LOOK_EVERY_MS: u64 = 6 * HOUR_MS;

/// What speaks against shifts, of whoever has them.
struct Ahead<'a> {
    roster: &'a Roster,
    now: Timestamp,
    plans: Vec<(Grade, Plan)>,
    on_call: Vec<OnCallWarning>,
}

/// When shifts are looked at again.
#[derive(Default)]
pub(super) struct ShiftWatch(Option<(Arc<Roster>, Timestamp)>);

impl Due {
    /// Tells people of the shifts that begin within a day; returns how many.
    pub(super) async fn tell_of_shifts(&self, now: Timestamp) -> Result<usize, EngineError> {
        let lookup = self.intake.responders();
        let roster = lookup.rosters.now();
        if self.shifts_due(&roster).is_none_or(|due| now < due) {
            return Ok(0);
        }
        let reach = |person: &Person| lookup.is_reachable(person);
        let until = now.plus_ms(AHEAD_MS + LOOK_EVERY_MS);
        let ahead = roster.shifts_ahead((now, until), &reach);
        let (soon, later): (Vec<_>, Vec<_>) = ahead
            .into_iter()
            .partition(|it| it.from <= now.plus_ms(AHEAD_MS));
        let mut told = 0;
        if !soon.is_empty() {
            let known = Ahead {
                roster: &roster,
                now,
                plans: self.intake.night_plans(&roster, now),
                on_call: roster.warnings((now, now.plus_ms(FORESIGHT_MS)), &reach),
            };
            for shift in &soon {
                told += usize::from(self.tell_of_shift(shift, &known).await?);
            }
        }
        let handovers = roster.handovers_ahead((now, until), &reach);
        let (soon, far): (Vec<_>, Vec<_>) = handovers
            .into_iter()
            .partition(|it| it.at <= now.plus_ms(HANDOVER_AHEAD_MS));
        told += self.tell_of_handovers(&soon, &roster, now).await?;
        let shifts = later.iter().map(|it| it.from.minus_ms(AHEAD_MS));
        let handovers = far.iter().map(|it| it.at.minus_ms(HANDOVER_AHEAD_MS));
        let latest = now.plus_ms(LOOK_EVERY_MS);
        let lasts = soon.iter().map(|it| it.at.minus_ms(LAST_LOOK_MS));
        let lasts = lasts.filter(|at| *at > now);
        let next = shifts.chain(handovers).chain(lasts).min();
        let next = next.map_or(latest, |it| it.min(latest));
        *self.shifts.lock() = ShiftWatch(Some((roster, next)));
        Ok(told)
    }

    /// When shifts are looked at next; `None` without rotations.
    pub(super) fn next_shift(&self) -> Option<Timestamp> {
        self.shifts_due(&self.intake.responders().rosters.now())
    }

    /// At once if who is on call was changed since the last look.
    fn shifts_due(&self, roster: &Arc<Roster>) -> Option<Timestamp> {
        let watch = self.shifts.lock();
        let looked = watch.0.as_ref();
        let next = looked.filter(|(seen, _)| Arc::ptr_eq(seen, roster));
        let next = next.map_or(Timestamp(i64::MIN), |(_, next)| *next);
        (!roster.rotations.is_empty()).then_some(next)
    }

    /// Whether its person is told now. Somebody who has nothing to do is not bothered.
    async fn tell_of_shift(
        &self,
        shift: &ShiftAhead,
        known: &Ahead<'_>,
    ) -> Result<bool, EngineError> {
        let warnings = self.against(shift, known);
        let contact = self.intake.responders().quiet_contact(&shift.person);
        let (Some(contact), false) = (contact, warnings.is_empty()) else {
            return Ok(false);
        };
        let notice = ShiftNotice {
            rotation: shift.rotation.clone(),
            from: shift.from,
            warnings,
            open: None,
        };
        self.remind(&shift.person, contact, notice).await
    }

    /// Reminds a person of a shift, unless they were; returns whether they are.
    pub(super) async fn remind(
        &self,
        person: &PersonId,
        contact: Contact,
        shift: ShiftNotice,
    ) -> Result<bool, EngineError> {
        let new = NewTests {
            person: person.clone(),
            contacts: vec![contact],
            by: Actor::Tocsin,
            shift: Some(shift),
            key: None,
        };
        match self.intake.begin_tests(new).await {
            Ok(done) => Ok(!done.tests.is_empty()),
            // Another daemon was first.
            Err(EngineError::Commit(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// What speaks against a shift, each with the remedy.
    fn against(&self, shift: &ShiftAhead, known: &Ahead<'_>) -> Vec<String> {
        let (lookup, store, now) = (self.intake.responders(), self.view.store(), known.now);
        let proven = |person: &PersonId, it: &Contact| is_proven(store, person, it, now);
        let of = (shift.rotation.as_str(), shift.from);
        let waking = lookup.waking_warnings_of(&shift.person, of, &known.plans, &proven);
        let zone = known.roster.zone(&shift.person);
        let shown = |at| shown_time(zone, at, now);
        let waking = waking.iter().map(|it| (it.text(shown), it.remedy()));
        let is_gap = |it: &&OnCallWarning| match it {
            OnCallWarning::Gap(gap) => gap.rotation == shift.rotation,
            _ => false,
        };
        let gaps = known.on_call.iter().filter(is_gap);
        let gaps = gaps.map(|it| (it.text(shown), it.remedy().to_owned()));
        let all = waking.chain(gaps).take(SHIFT_WARNINGS_MAX);
        all.map(|(what, remedy)| format!("{what}; {remedy}"))
            .collect()
    }
}
