//! What policies say of a firing alert, asked on a snapshot before the engine decides. Here
//! invariant 7 is kept for policies: one that fails is reported, and the alert still finds an
//! incident, a grade and somebody to page.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

use tocsin_core::command::{Delays, Opening, Responders};
use tocsin_core::incident::Incident;
use tocsin_core::intake::{Assessment, Entry, Known, Needed, Routed, needed, shape};
use tocsin_core::{
    Draft, Grade, Grading, Labels, PageTarget, Plan, Route, Signal, SignalStatus, Target,
    Timestamp, Verdict,
};
use tocsin_policy::{
    AlertView, Context, ContextFacts, IncidentFacts, IncidentView, Report, fallback,
};

use crate::metrics::Metrics;
use crate::people::ResponderLookup;
use crate::runtime::error::EngineError;
use crate::runtime::intake::failures::PolicyFailures;
use crate::runtime::intake::policies::Policies;
use crate::runtime::registry::silences::Silences;
use crate::runtime::state::tables::change::newest_changes;
use crate::runtime::state::view::{IncidentState, View};
use crate::time::policy_time;

pub struct Assessor {
    /// The policies in force.
    pub policies: Arc<Policies>,
    /// Whom steps page.
    pub responders: ResponderLookup,
    /// The silences in force.
    pub silences: Arc<Silences>,
    /// Incidents and alerts, as they are durable.
    pub view: Arc<View>,
    /// Labels that grading goes by: alerts that agree in them are graded once per incident.
    pub grade_labels: Vec<String>,
    /// The time zone in which policies see the time.
    pub zone: chrono_tz::Tz,
    /// Whom to page when the escalation policy fails.
    pub fallback: Vec<PageTarget>,
    /// The engine's delays: what must be asked depends on which incident may come back.
    pub delays: Delays,
    /// Where failures are counted.
    pub metrics: Arc<Metrics>,
    /// What policies were last told of the world.
    pub context: Mutex<Option<(Timestamp, Context)>>,
    /// Policy calls that failed.
    pub failures: Mutex<PolicyFailures>,
}

/// How old what policies are told of the world may be, in milliseconds.
const CONTEXT_MS_MAX: u64 = 1_000;

impl Assessor {
    /// What is needed to decide a signal, or nothing if it needs no policy. `whole`: ask
    /// everything, because an earlier decision found that something was missing.
    ///
    /// # Errors
    /// [`EngineError`] when the store fails; a policy's failure is no error here.
    pub fn assess(
        &self,
        signal: &Arc<Signal>,
        whole: bool,
        now: Timestamp,
    ) -> Result<Option<Assessment>, EngineError> {
        let snapshot = self.view.snapshot(now)?;
        let (known_alert, home) = snapshot.alert_and_home(signal)?;
        let mut known = Known {
            alert: known_alert.as_ref(),
            home: home.as_deref().map(IncidentState::parts),
            ..Known::default()
        };
        let needs = needed(signal, &known, None, whole, now, &self.delays);
        if matches!(needs, Needed::Nothing) {
            return Ok(None);
        }
        let alert = AlertView::new(Arc::clone(signal));
        let mut route = self.route(&alert, now);
        let (silenced_by, silences_at) = self.silences.matching_now(&signal.labels, now)?;
        let target = match route.value.target() {
            Some(target) => snapshot.incident_of_key(&target.key)?,
            None => None,
        };
        known.target = target.as_deref().map(IncidentState::parts);
        let shape = shape(&self.label_digest(signal), known.target.map(|it| it.1));
        let routed = Routed {
            route: &route.value,
            is_silenced: !silenced_by.is_empty(),
            shape: &shape,
        };
        let opening = match needed(signal, &known, Some(routed), whole, now, &self.delays) {
            Needed::Opening(entry) => {
                let opening = self.opening_of(&route, entry, &alert, now);
                Some(opening.read_at(snapshot.position().0))
            }
            Needed::Nothing | Needed::Route => None,
        };
        if opening.is_some() {
            let context = self.context(now);
            self.policies.keep_route(&mut route, &alert, &context);
        }
        Ok(Some(Assessment {
            route,
            silenced_by,
            silences_at: Some(silences_at.0),
            shape,
            opening,
        }))
    }

    /// What an incident that somebody opens by hand is graded and planned with.
    #[must_use]
    pub fn assess_draft(&self, draft: &Draft, now: Timestamp) -> Opening {
        let target = Target {
            key: draft.key.clone().unwrap_or_default(),
            service: draft.service.clone(),
            team: draft.team.clone(),
            title: Some(draft.title.clone()),
        };
        let signal = by_hand(&draft.title, &draft.summary, Labels::new(), now);
        let mut facts = IncidentFacts::opening(&target, &signal, now);
        facts.grade = draft.grade;
        facts.drill = draft.drill;
        let by_person = draft.grade.is_some();
        self.opening(facts, &AlertView::new(signal), None, by_person, now)
    }

    /// Whom an incident pages under a grade that a person is about to give it.
    #[must_use]
    pub fn replan(&self, state: &IncidentState, grade: Grade, now: Timestamp) -> Opening {
        let incident = &state.incident;
        let mut facts = IncidentFacts::of(incident, state.tally.counts);
        facts.grade = Some(grade);
        let labels = incident.about.labels.clone();
        let signal = by_hand(&incident.about.title, &incident.about.summary, labels, now);
        self.opening(facts, &AlertView::new(signal), None, true, now)
    }

    /// The crew of an incident's next step, looked up now.
    #[must_use]
    pub fn next_responders(&self, incident: &Incident, now: Timestamp) -> Responders {
        self.responders.of_step(
            &incident.escalation.plan,
            incident.escalation.next_step,
            now,
        )
    }

    fn route(&self, alert: &AlertView, now: Timestamp) -> Verdict<Route> {
        let route = self.policies.route_unkept(alert, &self.context(now));
        route.unwrap_or_else(|report| {
            self.report(&report);
            fallback::catch_all_route(&alert.signal().integration, &report)
        })
    }

    /// Asks about the incident that an alert enters, as it is with that alert.
    fn opening_of(
        &self,
        route: &Verdict<Route>,
        entry: Entry<'_>,
        alert: &AlertView,
        now: Timestamp,
    ) -> Opening {
        let (facts, by_person) = match entry {
            Entry::Join(incident, tally) | Entry::Reopen(incident, tally) => {
                let counts = tally.counts.with_one_more();
                let by_person = incident.grading.by_person;
                (IncidentFacts::of(incident, counts), by_person)
            }
            Entry::Open(target) => (IncidentFacts::opening(target, alert.signal(), now), false),
        };
        let route_failed = route.source.fallback.as_deref();
        self.opening(facts, alert, route_failed, by_person, now)
    }

    /// Asks for a grade and then, knowing it, for a plan. When the alert could not even be
    /// routed it goes to the catch-all incident, which is major. `by_person`: the grade that the
    /// incident has is a person's, and so the plan goes by it whatever the policy would grade.
    fn opening(
        &self,
        facts: IncidentFacts,
        alert: &AlertView,
        route_failed: Option<&str>,
        by_person: bool,
        now: Timestamp,
    ) -> Opening {
        let context = self.context(now);
        let policies = &self.policies;
        let grading = match route_failed {
            Some(why) => fallback_grading(why),
            None => {
                let view = IncidentView::new(facts.clone());
                policies
                    .grade(&view, alert, &context)
                    .unwrap_or_else(|report| {
                        self.report(&report);
                        last_good(&facts, fallback::catch_all_grading(&report))
                    })
            }
        };
        let standing = facts.grade.map(|grade| Grading {
            grade,
            security: facts.security,
        });
        let facts = facts.graded(grading.value.over(standing, by_person));
        let plan = policies.escalate(&IncidentView::new(facts), &context);
        let plan = plan.unwrap_or_else(|report| {
            self.report(&report);
            self.fallback_plan(&report)
        });
        let responders = self.responders.of_step(&plan.value, 0, now);
        Opening {
            grading,
            plan,
            responders,
        }
    }

    fn fallback_plan(&self, report: &Report) -> Verdict<Plan> {
        fallback::fallback_plan(self.fallback.clone(), report)
    }

    /// What policies may know of the world, made anew once a second: who is on call and how
    /// loaded people are does not change from one alert of a storm to the next.
    fn context(&self, now: Timestamp) -> Context {
        let mut made = self.context.lock();
        if let Some((at, context)) = made.as_ref()
            && now.since(*at) < CONTEXT_MS_MAX
            && *at <= now
        {
            return context.clone();
        }
        let context = self.make_context(now);
        *made = Some((now, context.clone()));
        context
    }

    fn make_context(&self, now: Timestamp) -> Context {
        let mut on_call = BTreeMap::new();
        for (name, rotation) in &self.responders.roster.rotations {
            on_call.insert(name.clone(), rotation.on_call(now));
        }
        let mut load: BTreeMap<_, u32> = BTreeMap::new();
        for state in self.view.in_memory() {
            if let (true, Some(person)) =
                (state.incident.is_active(), &state.incident.roles.operator)
            {
                *load.entry(person.clone()).or_default() += 1;
            }
        }
        let changes = newest_changes(self.view.store.as_ref(), now).unwrap_or_else(|error| {
            tracing::error!(%error, "policies are told of no changes");
            Vec::new()
        });
        let now = policy_time(self.zone, now);
        Context::new(ContextFacts {
            now,
            on_call,
            load,
            changes,
        })
    }

    /// The labels that grading goes by, as a short hash.
    fn label_digest(&self, signal: &Signal) -> String {
        let mut hasher = blake3::Hasher::new();
        for name in &self.grade_labels {
            hasher.update(
                signal
                    .labels
                    .get(name)
                    .map_or("", String::as_str)
                    .as_bytes(),
            );
            hasher.update(&[0xff]);
        }
        hasher.finalize().to_hex().as_str()[..12].to_owned()
    }

    fn report(&self, report: &Report) {
        self.metrics.policy_failed(&report.file);
        let text = report.to_string();
        if self.failures.lock().is_news(&text) {
            tracing::error!("a policy failed; the built-in verdict stands: {text}");
        }
    }
}

/// When the policy fails for an incident that was graded before, that grade stands.
fn last_good(facts: &IncidentFacts, mut verdict: Verdict<Grading>) -> Verdict<Grading> {
    if let Some(grade) = facts.grade {
        verdict.value = Grading {
            grade,
            security: facts.security,
        };
        verdict.reason =
            format!("the grading policy failed, so the last good grade stands: {grade}");
    }
    verdict
}

fn fallback_grading(why: &str) -> Verdict<Grading> {
    let source = tocsin_core::PolicySource {
        file: "builtin".to_owned(),
        fallback: Some(why.to_owned()),
        ..tocsin_core::PolicySource::default()
    };
    let value = Grading {
        grade: tocsin_core::Grade::Major,
        security: false,
    };
    let reason = "the alert could not be routed, so it counts as major".to_owned();
    Verdict {
        value,
        reason,
        source,
    }
}

/// What policies are shown as the alert when a person and not a sender is behind it.
fn by_hand(title: &str, summary: &str, labels: Labels, now: Timestamp) -> Signal {
    Signal {
        integration: "by-hand".into(),
        fingerprint: "by-hand".into(),
        status: SignalStatus::Firing,
        title: title.to_owned(),
        summary: summary.to_owned(),
        labels,
        annotations: Labels::new(),
        starts_at: now,
        ends_at: None,
        link: None,
    }
}

#[cfg(test)]
mod tests;
