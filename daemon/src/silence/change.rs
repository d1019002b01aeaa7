//! What setting, ending and forgetting a silence changes. Decided on the kept silences as a
//! value, so that the runtime only has to write it.

use std::sync::Arc;

use tocsin_core::{Labels, Timestamp, time};

use super::value::Silence;
use super::wire::PostableSilence;

/// Silences that are kept; more are refused until some were forgotten.
pub const SILENCES_MAX: usize = 10_000;
/// How long an expired silence is kept, in milliseconds: five days, as in Alertmanager.
pub const EXPIRED_KEPT_MS: u64 = 5 * 24 * time::HOUR_MS;

pub type Kept = [Arc<Silence>];

/// Why a silence is not set or ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SilenceRefusal {
    /// It cannot be meant; says why.
    #[error("{0}")]
    Invalid(String),
    /// There is none with this id.
    #[error("there is no silence {0}; `tocsin silence list` shows the ones there are")]
    Unknown(String),
    /// It has ended already.
    #[error("silence {0} has already expired")]
    AlreadyExpired(String),
    /// Too many are kept.
    #[error("{SILENCES_MAX} silences are kept already; expired ones make room after five days")]
    TooMany,
}

/// What setting a silence changes.
#[derive(Clone, Debug, PartialEq)]
pub struct SilenceSet {
    /// The id under which it is kept: a new one when the change made a new silence.
    pub id: String,
    /// The silences to write.
    pub changed: Vec<Silence>,
}

/// Sets a posted silence: a new one under `new_id`, or a change to the one that it names. A change
/// to what was silenced in the past ends the old silence and makes a new one.
///
/// # Errors
/// [`SilenceRefusal`] when it is not valid, names an unknown one, or too many are kept.
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
            // An expired one stays as it is; the new one takes its place either way.
            changed.extend(known.expired(now));
            new_id.clone_into(&mut silence.id);
        }
    }
    let id = silence.id.clone();
    changed.push(silence);
    Ok(SilenceSet { id, changed })
}

/// The silence `id` as it is when it ends now.
///
/// # Errors
/// [`SilenceRefusal`] when it is unknown or has ended already.
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

/// Whether a silence expired so long ago that it is forgotten.
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
