//! `swap`: the people of two shifts change places.

use chrono::NaiveTime;
use clap::Args;
use serde::{Deserialize, Serialize};
use tocsin_core::{PersonId, Timestamp};
use utoipa::ToSchema;

use super::OnCallVerb;
use super::times::ShiftAt;
use super::verb::Asked;
use crate::people::{NewOverride, OVERRIDE_AHEAD_MS_MAX, OverrideRefusal, Rotation, Shift};
use crate::time::{first_instant, in_zone};

/// Have the people of two shifts change places, as the schedule is now.
///
/// A shift is one turn, from one handover of the rotation to the next, even if the same person has
/// the turn before or after it; hours of the turn that an override or another layer covers are
/// shifts of their own. Of one that has begun, the rest is exchanged. The same swap again undoes
/// it.
///
/// A shift is named by the date on which it begins, or by a time within it. A date on which no
/// shift begins is of the one that it is in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Args)]
#[serde(deny_unknown_fields)]
pub(crate) struct Swap {
    /// Which rotation, by its ID in the configuration.
    pub(crate) rotation: String,
    /// The one shift, such as 2026-12-21, or 2026-12-21T20:00.
    #[schema(value_type = String)]
    #[arg(long, value_name = "DATE")]
    pub(crate) shift: ShiftAt,
    /// The other one.
    #[schema(value_type = String)]
    #[arg(long, value_name = "DATE")]
    pub(crate) with: ShiftAt,
}

impl OnCallVerb for Swap {
    const NAME: &'static str = "swap";
    const SYNTAX: &'static str = "ROTATION DATE DATE";
    const EXAMPLE: &'static str =
        "tocsin oncall swap payments --shift 2026-12-21 --with 2026-12-28";

    fn parse(words: &[&str]) -> Result<Self, String> {
        let [rotation, shift, with] = words else {
            return Err(
                "write `oncall swap ROTATION DATE DATE`, such as `oncall swap payments \
                        2026-12-21 2026-12-28`"
                    .to_owned(),
            );
        };
        let at = |text: &str| text.parse::<ShiftAt>().map_err(|error| error.to_string());
        Ok(Self {
            rotation: (*rotation).to_owned(),
            shift: at(shift)?,
            with: at(with)?,
        })
    }

    fn wanted(&self, asked: Asked<'_>) -> Result<Vec<NewOverride>, OverrideRefusal> {
        let Some(rotation) = asked.roster.rotations.get(&self.rotation) else {
            return Err(asked.roster.no_rotation(&self.rotation));
        };
        let horizon = asked.now.plus_ms(OVERRIDE_AHEAD_MS_MAX);
        let shifts = rotation.turns(asked.now, horizon);
        let one = of(&shifts, rotation, self.shift)?;
        let other = of(&shifts, rotation, self.with)?;
        if one.0 == other.0 {
            return Err(OverrideRefusal::Other(format!(
                "{} is on call in both; name shifts of two people",
                one.0
            )));
        }
        let over = |person: &PersonId, shift: &Shift, with: ShiftAt| NewOverride {
            rotation: self.rotation.clone(),
            person: person.clone(),
            from: shift.from,
            until: shift.until,
            reason: format!("swapped with the shift of {with}"),
        };
        Ok(vec![
            over(&other.0, one.1, self.with),
            over(&one.0, other.1, self.shift),
        ])
    }
}

/// The shift that is named, and who is on call in it. Of one that has begun, the rest is.
fn of<'a>(
    shifts: &'a [Shift],
    rotation: &Rotation,
    named: ShiftAt,
) -> Result<(PersonId, &'a Shift), OverrideRefusal> {
    let covers = |at: Timestamp| shifts.iter().find(|it| it.from <= at && at < it.until);
    let found = match named {
        ShiftAt::Moment(moment) => covers(moment.instant(rotation.zone)),
        ShiftAt::Date(date) => {
            let midnight = |date: chrono::NaiveDate| {
                first_instant(rotation.zone, date.and_time(NaiveTime::MIN))
            };
            let (start, end) = (midnight(date), midnight(date.succ_opt().unwrap_or(date)));
            // The first has begun already; when it did is not known.
            let begins = |it: &&Shift| start <= it.from && it.from < end;
            let mut beginning = shifts.iter().skip(1).filter(begins);
            match (beginning.next(), beginning.next()) {
                (Some(first), Some(second)) => {
                    let hours = [first, second].map(|it| in_zone(rotation.zone, it.from));
                    return Err(OverrideRefusal::Other(format!(
                        "more than one shift begins on {date}, such as {}; name one by a time in \
                         it, such as {date}T20:00",
                        hours.join(" and ")
                    )));
                }
                (Some(only), None) => Some(only),
                (None, _) => covers(start).or_else(|| {
                    // Of today, the rest of the shift counts.
                    let is_today = |it: &&Shift| start <= it.from && it.from < end;
                    shifts.first().filter(is_today)
                }),
            }
        }
    };
    let shift = found.ok_or_else(|| {
        OverrideRefusal::Other(format!(
            "{named} is not in the schedule of the next 366 days; `tocsin oncall show` shows it"
        ))
    })?;
    let person = shift.people.first().ok_or_else(|| {
        OverrideRefusal::Other(format!(
            "nobody is on call at {named}; put somebody on call with `override`"
        ))
    })?;
    if shifts.last().is_some_and(|last| std::ptr::eq(last, shift)) {
        return Err(OverrideRefusal::Other(format!(
            "the shift of {named} does not end within 366 days; use `override`"
        )));
    }
    Ok((person.clone(), shift))
}
