//! Creating, changing, expiring and forgetting silences, as pure functions of the stored ones.

use std::sync::Arc;

use tocsin_core::{Labels, Timestamp, time};

use super::value::Silence;
use super::wire::PostableSilence;

/// Most stored silences; more are refused until old ones are forgotten.
pub const SILENCES_MAX: usize = 10_000;
/// How long an expired silence is kept, in milliseconds: five days, as in Alertmanager.
pub const EXPIRED_KEPT_MS: u64 = 5 * 24 * time::HOUR_MS;

pub type Kept = [Arc<Silence>];

/// Why a silence is not created, changed or expired.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SilenceRefusal {
    /// It is not valid, with the reason.
    #[error("{0}")]
    Invalid(String),
    /// There is no silence with this ID.
    #[error("there is no silence {0}; `tocsin silence list` shows all silences")]
    Unknown(String),
    #[error("silence {0} has already expired")]
    AlreadyExpired(String),
    /// There are too many silences.
    #[error("there are already {SILENCES_MAX} silences; expired ones are removed after five days")]
    TooMany,
}

/// The result of creating or changing a silence.
#[derive(Clone, Debug, PartialEq)]
pub struct SilenceSet {
    /// The silence's ID: a new one when the change created a new silence.
    pub id: String,
    /// The silences to write.
    pub changed: Vec<Silence>,
}

/// Creates a silence with `new_id`, or changes the one that `posted` names. A change to what was
/// silenced in the past expires the old silence and creates a new one.
///
/// # Errors
/// [`SilenceRefusal`] when it is not valid, names an unknown silence, or there are too many.
pub fn set(
    kept: &Kept,
    posted: PostableSilence,
    new_id: &str,
    now: Timestamp,
) -> Result<SilenceSet, SilenceRefusal> {
    let mut silence = posted
        .into_silence(new_id, now)
        .map_err(SilenceRefusal::Invalid)?;
    let mut changed = Vec::new();
    if silence.id == new_id {
        if kept.len() >= SILENCES_MAX {
            return Err(SilenceRefusal::TooMany);
        }
    } else {
        let known = find(kept, &silence.id)?;
        if !known.can_become(&silence, now) {
            // An expired silence does not change; the new one replaces it either way.
            changed.extend(known.expired(now));
            new_id.clone_into(&mut silence.id);
        }
    }
    let id = silence.id.clone();
    changed.push(silence);
    Ok(SilenceSet { id, changed })
}

/// The silence `id`, expired now.
///
/// # Errors
/// [`SilenceRefusal`] when it is unknown or has already expired.
pub fn expire(kept: &Kept, id: &str, now: Timestamp) -> Result<Silence, SilenceRefusal> {
    let ended = find(kept, id)?.expired(now);
    ended.ok_or_else(|| SilenceRefusal::AlreadyExpired(id.to_owned()))
}

/// The ids of the silences that mute an alert with these labels at `now`.
#[must_use]
pub fn matching(kept: &Kept, labels: &Labels, now: Timestamp) -> Vec<String> {
    let matching = kept.iter().filter(|it| it.silences(labels, now));
    matching.map(|it| it.id.clone()).collect()
}

/// Whether a silence expired so long ago that it is removed.
#[must_use]
pub fn is_forgotten(silence: &Silence, now: Timestamp) -> bool {
    silence.ends_at < now.minus_ms(EXPIRED_KEPT_MS)
}

fn find<'a>(kept: &'a Kept, id: &str) -> Result<&'a Silence, SilenceRefusal> {
    let known = kept.iter().find(|it| it.id == id);
    known
        .map(AsRef::as_ref)
        .ok_or_else(|| SilenceRefusal::Unknown(id.to_owned()))
}
