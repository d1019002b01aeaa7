//! What goes wrong with who is on call in the next two weeks.

use std::sync::Arc;

use parking_lot::Mutex;
use tocsin_core::time::{HOUR_MS, MINUTE_MS};
use tocsin_core::{Person, Timestamp};

use crate::people::{OnCallWarning, ResponderLookup, Roster};

/// How far ahead is looked, in milliseconds: 14 days.
pub const FORESIGHT_MS: u64 = 14 * 24 * HOUR_MS;
/// How old the last look may be, in milliseconds, while nobody changes who is on call.
const LOOK_MS_MAX: u64 = MINUTE_MS;

/// Looks ahead, at most once a minute, as every shift is looked at.
#[derive(Default)]
pub struct Foresight(Mutex<Option<Look>>);

struct Look {
    at: Timestamp,
    roster: Arc<Roster>,
    found: Vec<OnCallWarning>,
}

impl Foresight {
    /// What goes wrong in the next 14 days.
    pub(super) fn warnings(&self, lookup: &ResponderLookup, now: Timestamp) -> Vec<OnCallWarning> {
        let roster = lookup.rosters.now();
        let mut last = self.0.lock();
        if let Some(look) = last.as_ref()
            && Arc::ptr_eq(&look.roster, &roster)
            && look.at <= now
            && now.since(look.at) < LOOK_MS_MAX
        {
            return look.found.clone();
        }
        let reach = |person: &Person| lookup.is_reachable(person);
        let found = roster.warnings((now, now.plus_ms(FORESIGHT_MS)), &reach);
        *last = Some(Look {
            at: now,
            roster,
            found: found.clone(),
        });
        found
    }
}
