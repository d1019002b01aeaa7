//! What people had to do lately: how often they were paged, and how long they had roles, in
//! incidents that are over and in those that are active now.

use std::collections::{BTreeMap, BTreeSet};

use tocsin_core::{IncidentId, PersonId, Role, RoleTime, Timestamp};
use tocsin_policy::CandidateLoad;
use tocsin_store::Store;

use crate::people::{LOAD_WINDOW_MS, Load, Roster, Window};
use crate::runtime::error::EngineError;
use crate::runtime::state::tables::page_count::pages_of;
use crate::runtime::state::tables::role_time::ended_since;
use crate::runtime::state::view::View;

/// Reads the load of people as it is at one time.
pub struct LoadReader<'a> {
    store: &'a dyn Store,
    roster: &'a Roster,
    now: Timestamp,
    /// The roles that people have now, with the incident.
    underway: Vec<(IncidentId, RoleTime)>,
}

impl<'a> LoadReader<'a> {
    #[must_use]
    pub fn at(view: &'a View, roster: &'a Roster, now: Timestamp) -> Self {
        let incidents = view.in_memory();
        let real = incidents.iter().filter(|it| !it.incident.about.drill);
        let underway = real.flat_map(|it| {
            let id = &it.incident.id;
            let roles = it.incident.roles.underway(now);
            roles.map(|role| (id.clone(), role))
        });
        Self {
            store: view.store(),
            roster,
            now,
            underway: underway.collect(),
        }
    }

    /// What a person had to do between two times, of which the second may be ahead.
    ///
    /// # Errors
    /// [`EngineError`] when the store fails or a row is damaged.
    pub fn load_of(&self, person: &PersonId, (from, until): Window) -> Result<Load, EngineError> {
        let mut load = Load::default();
        for (at, count) in pages_of(self.store, person, (from, until))? {
            load.pages += count;
            if self.roster.is_night(person, at) {
                load.night_pages += count;
            }
        }
        // A role that ended since memory was read counts once.
        let mut times = BTreeMap::new();
        let own = self.underway.iter().filter(|it| it.1.person == *person);
        times.extend(own.map(|(incident, it)| ((incident.clone(), it.role, it.from), it.until)));
        for row in ended_since(self.store, person, from)? {
            let time = row.time;
            times.insert((row.incident, time.role, time.from), time.until);
        }
        let mut incidents = BTreeSet::new();
        for ((incident, role, begin), end) in times {
            if begin >= until || end < from {
                continue;
            }
            let ms = end.min(until).since(begin.max(from));
            match role {
                Role::Operator => load.operator_ms += ms,
                Role::Spokesperson => load.spokesperson_ms += ms,
                Role::Commander | Role::Shadow => {}
            }
            incidents.insert(incident);
        }
        load.incidents = incidents.len() as u64;
        Ok(load)
    }

    /// What a person did in the last 28 days, as policies see it.
    ///
    /// # Errors
    /// As [`load_of`](Self::load_of).
    pub fn candidate_load(&self, person: &PersonId) -> Result<CandidateLoad, EngineError> {
        let window = (self.now.minus_ms(LOAD_WINDOW_MS), self.now);
        let load = self.load_of(person, window)?;
        Ok(CandidateLoad {
            incidents: load.incidents,
            pages: load.pages,
            night_pages: load.night_pages,
            operator_minutes: load.operator_minutes(),
            spokesperson_minutes: load.spokesperson_minutes(),
        })
    }
}
