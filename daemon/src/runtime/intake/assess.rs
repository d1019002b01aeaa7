//! Asks the policies about a firing alert, on a snapshot before the engine decides. If a policy
//! fails, that is reported, and the alert still gets an incident, a grade and somebody to page:
//! user code cannot prevent a page.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

use tocsin_core::command::{Delays, Opening};
use tocsin_core::intake::{Assessment, Assignment, Known, Needed, Routed, needed, shape};
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
    /// Looks up who steps page.
    pub responders: ResponderLookup,
    /// The silences in force.
    pub silences: Arc<Silences>,
    /// The durable state of incidents and alerts.
    pub view: Arc<View>,
    /// Labels that decide a grade: alerts with the same values are graded once per incident.
    pub grade_labels: Vec<String>,
    /// The time zone of times in policies.
    pub zone: chrono_tz::Tz,
    /// Who is paged when the escalation policy fails.
    pub fallback: Vec<PageTarget>,
    /// The engine's delays, which decide whether an incident may reopen.
    pub delays: Delays,
    /// Where failures are counted.
    pub metrics: Arc<Metrics>,
    /// The cached context for policies.
    pub context: Mutex<Option<(Timestamp, Context)>>,
    /// Policy calls that failed.
    pub failures: Mutex<PolicyFailures>,
}

/// How old the cached context may be, in milliseconds.
const CONTEXT_MS_MAX: u64 = 1_000;

impl Assessor {
    /// The assessment needed to decide a signal, or `None` if it needs no policy. `whole`: ask all
    /// policies, because an earlier decision lacked a verdict.
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
        let route = self.route(&alert, now);
        let (silenced_by, silences) = self.silences.matching_now(&signal.labels, now)?;
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
            Needed::Opening(assignment) => {
                let opening = self.opening_of(&route, assignment, &alert, now);
                Some(opening.read_at(snapshot.position().0))
            }
            Needed::Nothing | Needed::Route => None,
        };
        Ok(Some(Assessment {
            route,
            silenced_by,
            silences_at: Some(silences.position.0),
            silences_mark: Some(silences.mark),
            shape,
            opening,
        }))
    }

    /// The grade and the plan for an incident opened by hand.
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

    /// The plan for an incident whose grade a person is about to set.
    #[must_use]
    pub fn replan(&self, state: &IncidentState, grade: Grade, now: Timestamp) -> Opening {
        let incident = &state.incident;
        let mut facts = IncidentFacts::of(incident, state.tally.counts);
        facts.grade = Some(grade);
        let labels = incident.about.labels.clone();
        let signal = by_hand(&incident.about.title, &incident.about.summary, labels, now);
        self.opening(facts, &AlertView::new(signal), None, true, now)
    }

    fn route(&self, alert: &AlertView, now: Timestamp) -> Verdict<Route> {
        let route = self.policies.route(alert, &self.context(now));
        route.unwrap_or_else(|report| {
            self.report(&report);
            fallback::catch_all_route(&alert.signal().integration, &report)
        })
    }

    /// Asks about the incident that an alert enters, as it is with that alert.
    fn opening_of(
        &self,
        route: &Verdict<Route>,
        assignment: Assignment<'_>,
        alert: &AlertView,
        now: Timestamp,
    ) -> Opening {
        let (facts, by_person) = match assignment {
            Assignment::Join(incident, tally) | Assignment::Reopen(incident, tally) => {
                let counts = tally.counts.with_one_more();
                let by_person = incident.grading.by_person;
                (IncidentFacts::of(incident, counts), by_person)
            }
            Assignment::Open(target) => {
                (IncidentFacts::opening(target, alert.signal(), now), false)
            }
        };
        let route_failed = route.source.fallback.as_deref();
        self.opening(facts, alert, route_failed, by_person, now)
    }

    /// Asks for a grade and then for a plan for that grade. An alert that could not be routed goes
    /// to the catch-all incident, which is major. `by_person`: the incident's grade was set by a
    /// person, so the plan uses it instead of the policy's grade.
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
        let responders = self.responders.of_step(plan.value.steps.first(), now);
        Opening {
            grading,
            plan,
            responders,
        }
    }

    fn fallback_plan(&self, report: &Report) -> Verdict<Plan> {
        fallback::fallback_plan(self.fallback.clone(), report)
    }

    /// The context for policies, rebuilt once a second: who is on call and how busy people are does
    /// not change from one alert of a storm to the next. How busy they are is read from memory,
    /// which even an idle engine brings up to date once a second.
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
            if let Some(person) = state.incident.keeps_busy() {
                *load.entry(person.clone()).or_default() += 1;
            }
        }
        let changes = newest_changes(self.view.store.as_ref(), now).unwrap_or_else(|error| {
            tracing::error!(%error, "cannot read changes; policies get none");
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

    /// A short hash of the labels that decide a grade.
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
        if self.failures.lock().record(&text) {
            tracing::error!("a policy failed; the built-in verdict applies: {text}");
        }
    }
}

/// If the policy fails for an incident that already has a grade, that grade stays.
fn last_good(facts: &IncidentFacts, mut verdict: Verdict<Grading>) -> Verdict<Grading> {
    if let Some(grade) = facts.grade {
        verdict.value = Grading {
            grade,
            security: facts.security,
        };
        verdict.reason =
            format!("the grading policy failed, so the last good grade stays: {grade}");
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

/// The alert that policies get for an incident opened by hand.
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
        sender: tocsin_core::Sender::default(),
        fires_at: None,
    }
}

#[cfg(test)]
mod tests;
