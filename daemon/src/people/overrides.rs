//! The overrides that people make: what may be made and canceled. Pure values.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tocsin_core::time::HOUR_MS;
use tocsin_core::{Actor, PersonId, Timestamp};

use super::roster::Roster;
use super::rotation::Override;
use crate::time::in_zone;

/// Most overrides of one rotation that have not ended.
pub const OVERRIDES_LIVE_MAX: usize = 128;
/// Most overrides of one rotation that are kept, with those that ended; the oldest go first. That
/// is more than two a day for as long as they are kept.
pub const OVERRIDES_KEPT_MAX: usize = 1_024;
/// How far ahead an override may end, in milliseconds: 366 days.
pub const OVERRIDE_AHEAD_MS_MAX: u64 = 366 * 24 * HOUR_MS;
/// How long an override is kept after its end, in milliseconds: 400 days, so that it can be asked
/// who was on call in last year's months.
pub const OVERRIDE_KEPT_MS: u64 = 400 * 24 * HOUR_MS;
/// Longest reason, in bytes.
pub const REASON_BYTES_MAX: usize = 500;
/// Length of an ID, in hexadecimal digits.
const ID_DIGITS: usize = 8;

/// An override that somebody made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeOverride {
    pub id: String,
    pub rotation: String,
    pub person: PersonId,
    pub from: Timestamp,
    /// The end, exclusive.
    pub until: Timestamp,
    /// Who made it.
    pub by: Actor,
    /// When; of two that overlap, the later made decides. Later than every other of the rotation
    /// that was made before, also if the clock was set back in between.
    pub at: Timestamp,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// An override that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewOverride {
    pub rotation: String,
    pub person: PersonId,
    pub from: Timestamp,
    /// The end, exclusive.
    pub until: Timestamp,
    pub reason: String,
}

/// Why an override is not made or canceled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OverrideRefusal {
    #[error("there is no rotation `{name}`; there are {known}")]
    NoRotation { name: String, known: String },
    #[error("it ends before it begins; choose an end after {from}")]
    Backwards { from: String },
    #[error("it has ended already; choose an end after {now}")]
    Past { now: String },
    #[error("it ends more than 366 days ahead; choose an earlier end")]
    TooFar,
    #[error("the reason is over {REASON_BYTES_MAX} bytes; shorten it")]
    LongReason,
    #[error(
        "rotation `{0}` has {OVERRIDES_LIVE_MAX} overrides that have not ended; cancel some with \
         `tocsin oncall cancel ID`, or change its layers"
    )]
    TooMany(String),
    #[error("there is no override `{0}`; `tocsin oncall list` shows them")]
    Unknown(String),
    #[error("override `{0}` has ended")]
    Ended(String),
    /// Anything that an action refuses by itself, with the remedy.
    #[error("{0}")]
    Other(String),
}

impl MadeOverride {
    /// Whether it has not ended.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        now < self.until
    }

    /// When it is no longer kept.
    #[must_use]
    pub fn forgotten_at(&self) -> Timestamp {
        self.until.plus_ms(OVERRIDE_KEPT_MS)
    }

    fn as_override(&self) -> Override {
        Override {
            person: self.person.clone(),
            from: self.from,
            until: self.until,
            id: Some(self.id.clone()),
        }
    }
}

/// The ID of the override `number` of a request, so that a repeated request makes none anew.
#[must_use]
pub fn override_id(request: &str, number: usize) -> String {
    let hash = blake3::hash(format!("{request}/{number}").as_bytes());
    hash.to_hex().as_str()[..ID_DIGITS].to_owned()
}

/// Checks overrides that are asked for, and makes them. `roster` has those that are kept.
///
/// # Errors
/// [`OverrideRefusal`] for the first that is not allowed; then none is made.
pub fn make_overrides(
    kept: &[Arc<MadeOverride>],
    roster: &Roster,
    wanted: Vec<NewOverride>,
    (request, by, now): (&str, &Actor, Timestamp),
) -> Result<Vec<MadeOverride>, OverrideRefusal> {
    let mut made: Vec<MadeOverride> = Vec::new();
    for new in wanted {
        check(&new, roster, now)?;
        let is_live = |it: &MadeOverride| it.rotation == new.rotation && it.is_live(now);
        let live = kept.iter().filter(|it| is_live(it)).count();
        if live + made.iter().filter(|it| is_live(it)).count() >= OVERRIDES_LIVE_MAX {
            return Err(OverrideRefusal::TooMany(new.rotation));
        }
        // Another request may have this ID.
        let mut number = made.len();
        let is_taken =
            |id: &str| kept.iter().any(|it| it.id == id) || made.iter().any(|it| it.id == id);
        while is_taken(&override_id(request, number)) {
            number += OVERRIDES_KEPT_MAX;
        }
        let of_rotation = kept.iter().map(AsRef::as_ref).chain(&made);
        let of_rotation = of_rotation.filter(|it| it.rotation == new.rotation);
        let newest = of_rotation.map(|it| it.at.plus_ms(1)).max();
        let at = newest.map_or(now, |it| it.max(now));
        made.push(MadeOverride {
            id: override_id(request, number),
            rotation: new.rotation,
            person: new.person,
            from: new.from,
            until: new.until,
            by: by.clone(),
            at,
            reason: new.reason.trim().to_owned(),
        });
    }
    Ok(made)
}

fn check(new: &NewOverride, roster: &Roster, now: Timestamp) -> Result<(), OverrideRefusal> {
    if !roster.rotations.contains_key(&new.rotation) {
        return Err(roster.no_rotation(&new.rotation));
    }
    if !roster.people.contains_key(&new.person) {
        let refusal = roster.no_person(new.person.as_str());
        return Err(OverrideRefusal::Other(refusal));
    }
    let zone = roster.rotation_zone(&new.rotation);
    let refusal = if new.until <= new.from {
        OverrideRefusal::Backwards {
            from: in_zone(zone, new.from),
        }
    } else if new.until <= now {
        OverrideRefusal::Past {
            now: in_zone(zone, now),
        }
    } else if new.until > now.plus_ms(OVERRIDE_AHEAD_MS_MAX) {
        OverrideRefusal::TooFar
    } else if new.reason.len() > REASON_BYTES_MAX {
        OverrideRefusal::LongReason
    } else {
        return Ok(());
    };
    Err(refusal)
}

/// The override `id`, which is about to be canceled: one that has begun ends at `now`, which is
/// what remains of it; one that has not leaves nothing.
///
/// # Errors
/// [`OverrideRefusal`] when it is unknown or has ended.
pub fn cancel_override(
    kept: &[Arc<MadeOverride>],
    id: &str,
    now: Timestamp,
) -> Result<(MadeOverride, Option<MadeOverride>), OverrideRefusal> {
    let found = kept.iter().find(|it| it.id == id);
    let found = found.ok_or_else(|| OverrideRefusal::Unknown(id.to_owned()))?;
    if !found.is_live(now) {
        return Err(OverrideRefusal::Ended(id.to_owned()));
    }
    let canceled = MadeOverride::clone(found);
    let rest = (found.from < now).then(|| MadeOverride {
        until: now,
        ..canceled.clone()
    });
    Ok((canceled, rest))
}

/// The oldest ended overrides of a rotation that `more` new ones leave no place for.
#[must_use]
pub fn crowded_out<'a>(
    kept: &'a [Arc<MadeOverride>],
    rotation: &str,
    more: usize,
    now: Timestamp,
) -> Vec<&'a MadeOverride> {
    let of_rotation = kept.iter().filter(|it| it.rotation == rotation);
    let excess = (of_rotation.clone().count() + more).saturating_sub(OVERRIDES_KEPT_MAX);
    let mut ended: Vec<&MadeOverride> = of_rotation
        .map(AsRef::as_ref)
        .filter(|it| !it.is_live(now))
        .collect();
    ended.sort_by_key(|it| it.until);
    ended.truncate(excess);
    ended
}

impl Roster {
    /// The roster with the overrides that people made, which take precedence over those of the
    /// configuration; of two that overlap, the later made decides. Overrides of people and
    /// rotations that are no longer in the configuration count for nothing.
    #[must_use]
    pub fn with_overrides(&self, made: &[Arc<MadeOverride>]) -> Self {
        let mut roster = self.clone();
        let mut made: Vec<_> = made.iter().collect();
        made.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
        for over in made {
            if self.people.contains_key(&over.person)
                && let Some(rotation) = roster.rotations.get_mut(&over.rotation)
            {
                rotation.overrides.push(over.as_override());
            }
        }
        roster
    }

    /// Refuses a name, with those that exist.
    pub(crate) fn no_rotation(&self, name: &str) -> OverrideRefusal {
        let known: Vec<&str> = self.rotations.keys().map(String::as_str).collect();
        OverrideRefusal::NoRotation {
            name: name.to_owned(),
            known: match known.is_empty() {
                true => "none; add [rotations.NAME]".to_owned(),
                false => known.join(", "),
            },
        }
    }
}
