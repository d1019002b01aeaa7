//! What policies say of a firing alert, asked on a snapshot before the engine decides. Here
//! invariant 7 is kept for policies: one that fails is reported, and the alert still finds an
//! incident, a grade and somebody to page.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

use tocsin_core::alert::Place;
use tocsin_core::command::{Opening, Responders};
use tocsin_core::incident::Incident;
use tocsin_core::intake::Assessment;
use tocsin_core::{
    Alert, Draft, Grade, Grading, Labels, PageTarget, Plan, Route, Signal, SignalStatus, Status,
    Target, Timestamp, Verdict,
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

/// Asks policies.
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
    /// How long after its resolve an incident comes back with its key, in milliseconds.
    pub reopen_within_ms: u64,
    /// Where failures are counted.
    pub metrics: Arc<Metrics>,
    /// What policies were last told of the world.
    pub context: Mutex<Option<(Timestamp, Context)>>,
    /// Policy calls that failed.
    pub failures: Mutex<PolicyFailures>,
}

/// How old what policies are told of the world may be, in milliseconds.
const CONTEXT_MS_MAX: u64 = 1_000;
/// Numbers of firing alerts at which an incident is graded again: many at once mean more than
/// each of them says.
const FIRING_BANDS: [u64; 4] = [10, 50, 100, 1_000];

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
        if signal.status != SignalStatus::Firing || (!whole && self.is_repeat(signal)?) {
            return Ok(None);
        }
        let context = self.context(now);
        let alert = AlertView::new(Arc::clone(signal));
        let policies = &self.policies;
        let route = policies.route_unkept(&alert, &context);
        let mut route = route.unwrap_or_else(|report| {
            self.report(&report);
            fallback::catch_all_route(&signal.integration, &report)
        });
        let silenced_by = self.silences.matching(&signal.labels, now);
        let mut shape = self.shape(signal);
        let opening = match &route.value {
            Route::Incident(target) | Route::Wait { target, .. } if silenced_by.is_empty() => {
                let state = self.view.incident_of_key(&target.key)?;
                let others = state.as_ref().map_or(0, |it| it.tally.counts.firing);
                shape.push_str(&band(others.saturating_add(1)));
                self.opening_if_needed(&route, target, state, &alert, &shape, whole, now)
            }
            _ => None,
        };
        if opening.is_some() {
            policies.keep_route(&mut route, &alert, &context);
        }
        Ok(Some(Assessment {
            route,
            silenced_by,
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
        let mut facts = facts_of_new(&target, &signal, now);
        facts.grade = draft.grade;
        facts.drill = draft.drill;
        let by_person = draft.grade.is_some();
        self.opening(facts, &AlertView::from(&signal), None, by_person, now)
    }

    /// Whom an incident pages under a grade that a person is about to give it.
    #[must_use]
    pub fn replan(&self, state: &IncidentState, grade: Grade, now: Timestamp) -> Opening {
        let mut facts = facts_of(state);
        facts.grade = Some(grade);
        let incident = &state.incident;
        let labels = incident.about.labels.clone();
        let signal = by_hand(&incident.about.title, &incident.about.summary, labels, now);
        self.opening(facts, &AlertView::from(&signal), None, true, now)
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

    /// Whether the signal only repeats an alert that is in an incident.
    fn is_repeat(&self, signal: &Signal) -> Result<bool, EngineError> {
        let key = Alert::row_key(&signal.integration, &signal.fingerprint);
        let alert = self.view.alert(&key)?;
        let Some(Alert {
            firing: true,
            place: Place::Incident { id },
            ..
        }) = alert
        else {
            return Ok(false);
        };
        Ok(self
            .view
            .incident(&id)?
            .is_some_and(|state| state.incident.is_active()))
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "what is known of one alert, gathered above"
    )]
    fn opening_if_needed(
        &self,
        route: &Verdict<Route>,
        target: &Target,
        state: Option<Arc<IncidentState>>,
        alert: &AlertView,
        shape: &str,
        whole: bool,
        now: Timestamp,
    ) -> Option<Opening> {
        let active = state.as_ref().filter(|it| it.incident.is_active());
        if let Some(state) = active
            && !whole
            && state.tally.knows_shape(shape)
        {
            return None;
        }
        let within_ms = self.reopen_within_ms;
        let comes_back = |it: &Arc<IncidentState>| {
            it.incident.is_active() || it.incident.may_reopen(now, within_ms)
        };
        let state = state.filter(comes_back);
        let by_person = state
            .as_ref()
            .is_some_and(|it| it.incident.grading.by_person);
        let facts = match &state {
            Some(state) => facts_with_one_more(state),
            None => facts_of_new(target, alert.signal(), now),
        };
        let route_failed = route.source.fallback.as_deref();
        Some(self.opening(facts, alert, route_failed, by_person, now))
    }

    /// Asks for a grade and then, knowing it, for a plan. When the alert could not even be
    /// routed it goes to the catch-all incident, which is major. `by_person`: the grade that the
    /// incident has is a person's, and so the plan goes by it whatever the policy would grade.
    fn opening(
        &self,
        mut facts: IncidentFacts,
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
        if !by_person {
            facts.grade = facts.grade.max(Some(grading.value.grade));
        }
        facts.security |= grading.value.security;
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

    /// The label set as far as grading goes, as a short hash.
    fn shape(&self, signal: &Signal) -> String {
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

/// The incident once the alert has joined it, as an incident that opens counts its first.
fn facts_with_one_more(state: &IncidentState) -> IncidentFacts {
    let mut facts = facts_of(state);
    facts.alerts_total = facts.alerts_total.saturating_add(1);
    facts.alerts_firing = facts.alerts_firing.saturating_add(1);
    facts
}

/// The part of a shape that says how many alerts fire, in steps.
fn band(firing: u64) -> String {
    let reached = FIRING_BANDS.iter().rev().find(|least| firing >= **least);
    reached.map_or_else(String::new, |least| format!("+{least}"))
}

fn facts_of(state: &IncidentState) -> IncidentFacts {
    let incident = &state.incident;
    IncidentFacts {
        id: Some(incident.id.clone()),
        number: incident.number,
        key: incident.about.key.clone(),
        title: incident.about.title.clone(),
        service: incident.about.service.clone(),
        team: incident.about.team.clone(),
        grade: Some(incident.grading.grade),
        security: incident.grading.security,
        status: incident.lifecycle.status,
        alerts_total: state.tally.counts.total,
        alerts_firing: state.tally.counts.firing,
        labels: incident.about.labels.clone(),
        opened_at: incident.lifecycle.opened_at,
        acknowledged: incident.lifecycle.acknowledged_at.is_some(),
        drill: incident.about.drill,
    }
}

fn facts_of_new(target: &Target, signal: &Signal, now: Timestamp) -> IncidentFacts {
    IncidentFacts {
        id: None,
        number: 0,
        key: target.key.clone(),
        title: target.title.clone().unwrap_or_else(|| signal.title.clone()),
        service: target.service.clone(),
        team: target.team.clone(),
        grade: None,
        security: false,
        status: Status::Open,
        alerts_total: 0,
        alerts_firing: 0,
        labels: signal.labels.clone(),
        opened_at: now,
        acknowledged: false,
        drill: false,
    }
}
