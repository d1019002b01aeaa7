//! What goes wrong with who is on call in the next two weeks, and what keeps pages from waking
//! them.

use std::sync::Arc;

use parking_lot::Mutex;
use tocsin_core::time::MINUTE_MS;
use tocsin_core::{Contact, Grade, Person, PersonId, Plan, Timestamp};
use tocsin_store::Store;

use crate::people::{FORESIGHT_MS, OnCallSoon, ResponderLookup, Roster};
use crate::runtime::intake::assess::Assessor;
use crate::runtime::state::tables::proof::is_proven;

/// How old the last look may be, in milliseconds, while nobody changes who is on call.
const LOOK_MS_MAX: u64 = MINUTE_MS;

/// Looks ahead, at most once a minute, as every shift is looked at.
#[derive(Default)]
pub struct Foresight(Mutex<Option<Arc<Look>>>);

/// What was seen.
pub(super) struct Look {
    at: Timestamp,
    roster: Arc<Roster>,
    /// What goes wrong in the next 14 days, each with the remedy.
    pub(super) on_call: Vec<(String, String)>,
    soon: OnCallSoon,
    plans: Vec<(Grade, Plan)>,
}

impl Foresight {
    /// What is seen now, or was lately.
    pub(super) fn look(&self, assessor: &Assessor, now: Timestamp) -> Arc<Look> {
        let lookup = &assessor.responders;
        let roster = lookup.rosters.now();
        let mut last = self.0.lock();
        if let Some(look) = last.as_ref()
            && Arc::ptr_eq(&look.roster, &roster)
            && look.at <= now
            && now.since(look.at) < LOOK_MS_MAX
        {
            return Arc::clone(look);
        }
        let reach = |person: &Person| lookup.is_reachable(person);
        let window = (now, now.plus_ms(FORESIGHT_MS));
        let on_call = roster.warnings(window, &reach);
        let look = Arc::new(Look {
            at: now,
            on_call: on_call.iter().map(|it| it.told(&roster)).collect(),
            soon: OnCallSoon::of(&roster, window, &reach),
            plans: assessor.night_plans(&roster, now),
            roster,
        });
        *last = Some(Arc::clone(&look));
        look
    }
}

impl Look {
    /// What keeps pages from waking whoever is on call in the next 14 days, with the contacts that
    /// are proven now; each with the remedy.
    pub(super) fn waking(
        &self,
        lookup: &ResponderLookup,
        store: &dyn Store,
        now: Timestamp,
    ) -> Vec<(String, String)> {
        let proven = |person: &PersonId, it: &Contact| is_proven(store, person, it, now);
        let found = lookup.waking_warnings(&self.soon, &self.plans, Some(&proven));
        found.iter().map(|it| it.told(&self.roster)).collect()
    }
}
