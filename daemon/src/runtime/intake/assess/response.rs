//! Asks the communication policy: how soon audiences hear more, and who responds.

use std::collections::BTreeSet;

use tocsin_core::{Cadence, Incident, Person, PersonId, Response, Timestamp, Verdict};
use tocsin_policy::{Candidate, CandidateLoad, Candidates, IncidentFacts, IncidentView, fallback};

use super::Assessor;
use crate::runtime::state::load::LoadReader;
use crate::runtime::state::view::IncidentState;

impl Assessor {
    /// How soon each audience of an incident hears more.
    #[must_use]
    pub fn cadence(&self, state: &IncidentState, now: Timestamp) -> Verdict<Cadence> {
        let incident = viewed(state);
        let asked = self.policies.cadence(&incident, &self.context(now));
        asked.unwrap_or_else(|report| {
            self.report(&report);
            fallback::usual_cadence(&incident, &report)
        })
    }

    /// Who is asked to take the roles besides the operator.
    #[must_use]
    pub fn respond(&self, state: &IncidentState, now: Timestamp) -> Verdict<Response> {
        let incident = viewed(state);
        let candidates = self.candidates(&state.incident, now);
        let context = self.context(now);
        let asked = self.policies.respond(&incident, &candidates, &context);
        asked.unwrap_or_else(|report| {
            self.report(&report);
            fallback::usual_response(&incident, &candidates, &report)
        })
    }

    /// The operator, and those who can be asked: they can be reached, are not out of office, may
    /// see the incident and have not refused. Of many, first who is on call, then the incident's
    /// team.
    fn candidates(&self, incident: &Incident, now: Timestamp) -> Candidates {
        let roster = self.responders.rosters.now();
        let roles = &incident.roles;
        let is_operator = |it: &PersonId| roles.operator.as_ref() == Some(it);
        let reach = |it: &Person| self.responders.is_reachable(it);
        let can_be_asked = |it: &Person| {
            roster.hindrance(it, now, &reach).is_none()
                && (it.clearance || !incident.grading.security)
                && !roles.call.refused.contains(&it.id)
        };
        let rotations = roster.rotations.values();
        let on_call: BTreeSet<PersonId> = rotations.flat_map(|it| it.on_call(now)).collect();
        let loads = LoadReader::at(&self.view, &roster, now);
        // Nobody goes without a spokesperson because a count cannot be read.
        let load_of = |person: &PersonId| {
            loads.candidate_load(person).unwrap_or_else(|error| {
                tracing::error!(%error, "what somebody did lately cannot be read");
                CandidateLoad::default()
            })
        };
        let candidate = |it: &Person| Candidate {
            id: it.id.clone(),
            name: it.name.clone(),
            level: roster.levels.get(&it.id).copied().unwrap_or_default(),
            teams: it.teams.clone(),
            on_call: on_call.contains(&it.id),
            night: roster.is_night(&it.id, now),
            operator: is_operator(&it.id),
            load: load_of(&it.id),
        };
        let people = roster.people.values();
        let people = people.filter(|it| is_operator(&it.id) || can_be_asked(it));
        let mut all: Vec<Candidate> = people.map(candidate).collect();
        let team = incident.about.team.as_ref();
        let is_of_team = |it: &Candidate| team.is_some_and(|team| it.teams.contains(team));
        all.sort_by_key(|it| (!it.operator, !it.on_call, !is_of_team(it)));
        Candidates::new(all)
    }
}

fn viewed(state: &IncidentState) -> IncidentView {
    IncidentView::new(IncidentFacts::of(&state.incident, state.tally.counts))
}
