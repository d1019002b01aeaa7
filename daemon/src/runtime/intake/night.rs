//! What the escalation policy says for incidents that page at night, asked about made-up ones: a
//! plan is otherwise known only once it is needed.

use chrono_tz::Tz;
use tocsin_core::time::HOUR_MS;
use tocsin_core::{Grade, Plan, TeamId, Timestamp};
use tocsin_policy::{Context, ContextFacts, IncidentFacts, IncidentView};

use crate::people::Roster;
use crate::runtime::intake::assess::Assessor;
use crate::time::policy_time;

/// The grades that are asked about.
const GRADES: [Grade; 2] = [Grade::Critical, Grade::Major];
/// Most teams whose incidents are asked about.
const TEAMS_MAX: usize = 32;
/// The times that are asked about, in milliseconds from now: a plan may differ at night.
const TIMES_MS: [u64; 2] = [0, 12 * HOUR_MS];

/// The plans for incidents of each team and of none, each once, with the grade. `ask`: what the
/// policy says; `None` if it fails, which is reported elsewhere.
pub fn plans_tried(
    zone: Tz,
    roster: &Roster,
    now: Timestamp,
    ask: impl Fn(&IncidentView, &Context) -> Option<Plan>,
) -> Vec<(Grade, Plan)> {
    let teams = roster.teams.keys().cloned().map(Some).take(TEAMS_MAX);
    let teams: Vec<Option<TeamId>> = std::iter::once(None).chain(teams).collect();
    let mut plans: Vec<(Grade, Plan)> = Vec::new();
    for at in TIMES_MS.map(|ms| now.plus_ms(ms)) {
        let on_call = roster.rotations.iter();
        let context = Context::new(ContextFacts {
            now: policy_time(zone, at),
            on_call: on_call
                .map(|(name, it)| (name.clone(), it.on_call(at)))
                .collect(),
            ..ContextFacts::default()
        });
        for team in &teams {
            for grade in GRADES {
                let incident = IncidentView::new(IncidentFacts::plain(team.clone(), grade, at));
                let plan = ask(&incident, &context).map(|it| (grade, it));
                plans.extend(plan.filter(|it| !plans.contains(it)));
            }
        }
    }
    plans
}

impl Assessor {
    /// What the policies in force say for incidents that page at night.
    #[must_use]
    pub fn night_plans(&self, roster: &Roster, now: Timestamp) -> Vec<(Grade, Plan)> {
        plans_tried(self.zone, roster, now, |incident, context| {
            let asked = self.policies.escalate(incident, context);
            asked.ok().map(|(verdict, _)| verdict.value)
        })
    }
}
